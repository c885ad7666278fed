# Completion of parproc for fish. Install: parproc --completion fish > ~/.config/fish/completions/parproc.fish

function __parproc_complete
    # the installed program, whatever is typed: nothing in the current folder is run for a press of TAB
    set -l program
    for folder in $PATH
        if string match -q '/*' -- $folder; and test -f $folder/parproc; and test -x $folder/parproc
            set program $folder/parproc
            break
        end
    end
    test -n "$program"; or return
    set -l word (commandline -ct)
    set -l lead (string match -r -- '^--[^=]+=' $word)
    set -l path (string replace -r -- '^--[^=]+=' '' $word)
    set -lx COMP_WORDS (commandline -cp | string collect)
    set -lx COMP_CWORD ''
    set -lx _PARPROC_COMPLETE fish_complete
    for line in ($program 2>/dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case file
                string replace -r -- '^' "$lead" (__fish_complete_path $path)
            case dir
                string replace -r -- '^' "$lead" (__fish_complete_directories $path)
            case plain part
                printf '%s\n' $parts[2]
        end
    end
end

complete --command parproc --no-files --arguments '(__parproc_complete)'
