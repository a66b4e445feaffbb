#compdef aix
# zsh completion for aix: what `aix completion zsh` prints.

_aix() {
    local kind rest row
    local -a answer whole open
    answer=("${(@f)$(command aix __complete zsh -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}")
    kind=${answer[1]} rest=${answer[2]}
    case $kind in
        files|folders)
            [[ -n $rest ]] && compset -p ${#rest}
            if [[ $kind == files ]]; then _files; else _files -/; fi
            return
            ;;
    esac
    for row in "${(@)answer[3,-1]}"; do
        # a value that goes on gets no space after it; the mark before a value says which
        if [[ $row == +* ]]; then open+=("${row#+}"); else whole+=("${row#-}"); fi
    done
    _describe -V 'aix' whole -- open -S ''
}

if [[ ${funcstack[1]} == _aix ]]; then _aix "$@"; else compdef _aix aix; fi
