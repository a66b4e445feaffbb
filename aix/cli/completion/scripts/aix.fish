# fish completion for aix: what `aix completion fish` prints.

function __aix_complete
    set -l raw (commandline -ct)
    # a word whose quote is still open cannot be unescaped
    set -l word (string unescape -- "$raw" 2>/dev/null; or string replace -r '^["\']' '' -- "$raw")
    set -l words (commandline -opc)
    set -l answer (command aix __complete fish -- $words[2..-1] "$word" 2>/dev/null </dev/null)
    set -l rest "$answer[2]"
    set -l path (string sub -s (math 1 + (string length -- "$rest")) -- "$word")
    switch "$answer[1]"
        case files
            for file in (__fish_complete_path "$path")
                printf '%s\n' "$rest$file"
            end
        case folders
            for folder in (__fish_complete_directories "$path" '')
                printf '%s\n' "$rest$folder"
            end
        case '*'
            printf '%s\n' $answer[3..-1]
    end
end

complete -c aix -f -k -a '(__aix_complete)'
