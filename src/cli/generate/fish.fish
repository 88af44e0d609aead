# Completion of clsh for fish, made by clsh --generate complete-fish.

# The nodes, as the flags typed so far name them, behind those of the list that stand already.
function __clsh_nodes
    set -l call clsh
    set -l words (commandline -opc)
    for at in (seq 2 (math (count $words) - 1))
        if contains -- $words[$at] @NODE_FLAGS@
            set -a call $words[$at] $words[(math $at + 1)]
        end
    end
    set -l head (string match -r '^.*,' -- (commandline -ct))
    for name in ($call -q -Q 2>/dev/null)
        echo "$head$name"
    end
end

# Whether the command has not begun.
function __clsh_options
    set -l with_value @WITH_VALUE@
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        switch $words[1]
            case --
                return 1
            case '--*=*'
            case '-*'
                if contains -- $words[1] $with_value
                    set -e words[1]
                end
            case '*'
                return 1
        end
        set -e words[1]
    end
    return 0
end

complete -c clsh -f
complete -c clsh -n 'not __clsh_options' -F
complete -c clsh -n __clsh_options -a '(__fish_complete_command)'
@LINES@
