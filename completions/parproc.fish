# Completion of parproc for fish. Install: parproc --completion fish > ~/.config/fish/completions/parproc.fish

function __parproc_complete
    set -l program (commandline -opc)[1]
    for line in (env COMP_WORDS=(commandline -cp | string collect) COMP_CWORD= _PARPROC_COMPLETE=fish_complete $program 2>/dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case file
                __fish_complete_path (commandline -ct)
            case dir
                __fish_complete_directories (commandline -ct)
            case plain
                printf '%s\n' $parts[2]
        end
    end
end

complete --command parproc --no-files --arguments '(__parproc_complete)'
