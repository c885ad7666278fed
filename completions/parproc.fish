# Completion of parproc for fish. Install: parproc --completion fish > ~/.config/fish/completions/parproc.fish

function __parproc_complete
    set -l program (commandline -opc)[1]
    set -l word (commandline -ct)
    set -l lead (string match -r -- '^--[^=]+=' $word)
    set -l path (string replace -r -- '^--[^=]+=' '' $word)
    for line in (env COMP_WORDS=(commandline -cp | string collect) COMP_CWORD= _PARPROC_COMPLETE=fish_complete $program 2>/dev/null)
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
