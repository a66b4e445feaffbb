# bash completion for aix: what `aix completion bash` prints.

_aix_completion() {
    local kind='' rest='' row
    COMPREPLY=()
    {
        read -r kind
        IFS= read -r rest
        while IFS= read -r row; do COMPREPLY+=("$row"); done
    } < <(command aix __complete bash -- "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null)

    # bash 3.2 has no compopt; there it goes on to file names when there is nothing else
    type compopt &>/dev/null || return 0
    compopt -o nosort 2>/dev/null
    case $kind in
        files) compopt -o default ;;
        folders) compopt -o dirnames ;;
        open) compopt -o nospace ;;
    esac
    # the word goes on after a mark that does not part words here: -p diff@FILE
    if [[ $kind == files && -n $rest ]]; then
        local word=${COMP_WORDS[COMP_CWORD]}
        while IFS= read -r row; do COMPREPLY+=("$row"); done < <(compgen -P "$rest" -f -- "${word#*"$rest"}")
        compopt +o default -o filenames
    elif [[ $kind != files ]]; then
        compopt +o default
    fi
}

complete -o default -F _aix_completion aix
