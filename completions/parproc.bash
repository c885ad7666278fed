# Completion of parproc for bash. Install: parproc --completion bash > ~/.local/share/bash-completion/completions/parproc
# or, in ~/.bashrc: eval "$(parproc --completion bash)"

_parproc() {
    local reply form folder folders program=
    COMPREPLY=()
    # the installed program, whatever is typed: nothing in the current folder is run for a press of TAB
    IFS=: read -ra folders <<<"$PATH"
    for folder in "${folders[@]}"; do
        [[ $folder == /* && -f $folder/parproc && -x $folder/parproc ]] && program=$folder/parproc && break
    done
    [[ $program ]] || return
    # bash breaks words at : and more, and replaces only what is behind the break, which is $2
    while IFS= read -r reply; do
        form=${reply%%,*}
        reply=${reply#*,}
        case $form in
        plain) COMPREPLY+=("$reply ") ;;
        part) COMPREPLY+=("$reply") ;;
        file)
            compopt -o default +o nospace 2>/dev/null ||
                while IFS= read -r reply; do COMPREPLY+=("$reply"); done < <(compgen -f -- "$2")
            ;;
        dir)
            compopt -o dirnames +o nospace 2>/dev/null ||
                while IFS= read -r reply; do COMPREPLY+=("$reply"); done < <(compgen -d -- "$2")
            ;;
        esac
    done < <(
        COMP_WORDS=${COMP_LINE:0:COMP_POINT} COMP_CWORD='' COMP_REPLACED=$2 \
            _PARPROC_COMPLETE=bash_complete "$program" 2>/dev/null
    )
}

complete -o nospace -F _parproc parproc
