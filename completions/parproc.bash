# Completion of parproc for bash. Install: parproc --completion bash > ~/.local/share/bash-completion/completions/parproc
# or, in ~/.bashrc: eval "$(parproc --completion bash)"

_parproc() {
    local rest=$COMP_LINE before word joined='' typed='' last='' index reply form value quote='' trim
    # bash splits words at : and =; those that touch on the line are one
    for ((index = 0; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if [[ -z $word ]]; then
            before=' '
        else
            before=${rest%%"$word"*}
            rest=${rest#*"$word"}
        fi
        if [[ $index -gt 0 && -n $before ]]; then
            joined+="$typed "
            typed=''
        fi
        typed+=$word
        last=$word
    done
    case $typed in
    [\"\']*) quote=${typed:0:1} ;;
    esac
    # what bash will put the reply after: all up to its last break
    trim=''
    if [[ -z $quote ]]; then
        if [[ $COMP_WORDBREAKS == *:* && $typed == *:* ]]; then
            trim=${typed%"${typed##*:}"}
        elif [[ $COMP_WORDBREAKS == *=* && $typed == *=* ]]; then
            trim=${typed%"${typed##*=}"}
        fi
    fi
    COMPREPLY=()
    while IFS= read -r reply; do
        form=${reply%%,*}
        value=${reply#*,}
        case $form in
        file)
            compopt -o filenames +o nospace 2>/dev/null
            while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$last")
            return
            ;;
        dir)
            compopt -o filenames +o nospace 2>/dev/null
            while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "$last")
            return
            ;;
        plain)
            if [[ -n $quote ]]; then
                # bash closes the quote by itself
                [[ $value == *"$quote"* ]] || COMPREPLY+=("$value")
                continue
            fi
            printf -v word %q "$value"
            word=${word#"$trim"}
            case $value in
            *: | *=) ;;
            *) word+=' ' ;;
            esac
            COMPREPLY+=("$word")
            ;;
        esac
    done < <(COMP_WORDS="$joined$typed" COMP_CWORD='' _PARPROC_COMPLETE=bash_complete command "$1" 2>/dev/null)
}

complete -o nospace -F _parproc parproc
