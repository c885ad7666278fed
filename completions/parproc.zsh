#compdef parproc
# Completion of parproc for zsh. Install: parproc --completion zsh > "${fpath[1]}/_parproc"
# or, in ~/.zshrc after compinit: eval "$(parproc --completion zsh)"

# so that parproc build::* needs no quotes
alias parproc='noglob parproc'

_parproc() {
    local -a lines closed open closed_shown open_shown
    local form value text shown folder program
    # the installed program, whatever is typed: nothing in the current folder is run for a press of TAB
    for folder in $path; do
        [[ $folder == /* && -f $folder/parproc && -x $folder/parproc ]] && program=$folder/parproc && break
    done
    [[ -n $program ]] || return 1
    lines=("${(@f)$(COMP_WORDS="${(j: :)words[1,CURRENT]}" COMP_CWORD= _PARPROC_COMPLETE=zsh_complete "$program" 2>/dev/null)}")
    for form value text in "${lines[@]}"; do
        case $form in
        file) [[ $value == --*=* ]] && compset -P '*='; _files; return ;;
        dir) [[ $value == --*=* ]] && compset -P '*='; _files -/; return ;;
        plain | part) ;;
        *) continue ;;
        esac
        shown=$value
        [[ $text == _ ]] || shown="$value  -- $text"
        # a name that goes on, and a parameter that wants its value, get no space
        if [[ $form == part ]]; then
            open+=("$value")
            open_shown+=("$shown")
        else
            closed+=("$value")
            closed_shown+=("$shown")
        fi
    done
    local found=1
    (( ${#closed} )) && compadd -l -d closed_shown -a closed && found=0
    (( ${#open} )) && compadd -S '' -l -d open_shown -a open && found=0
    return found
}

if [[ $funcstack[1] == _parproc ]]; then
    _parproc "$@"
else
    compdef _parproc parproc
fi
