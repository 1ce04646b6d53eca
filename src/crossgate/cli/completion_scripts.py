"""Writes completion scripts for bash, zsh and fish. They contain the table of verbs, and call nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from crossgate.cli.completion_table import CompletedValue, CompletedVerb, Completes

_BASH_END = """
    case $value in
        "") ;;
        @file) compopt -o default; return ;;
        @directory) compopt -o dirnames; return ;;
        *) COMPREPLY=($(compgen -W "$value" -- "$cur")); return ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
    elif [[ -n $verbs ]]; then
        COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
    elif [[ $argument == @file ]]; then
        compopt -o default
    else
        COMPREPLY=($(compgen -W "$argument" -- "$cur"))
    fi
}
complete -F _crossgate crossgate
"""


def bash_script(verbs: Sequence[CompletedVerb]) -> str:
    """The script for bash 4 or newer."""
    words = " | ".join(f'"{verb.words}"' for verb in verbs)
    lines = [
        "# Completes the command crossgate in bash. Written by `crossgate completion bash`.",
        "_crossgate() {",
        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}",
        "    local verb='' word next value='' options='--help' verbs='' argument=''",
        "    COMPREPLY=()",
        "    # bash splits --option=value into three words.",
        "    if [[ $cur == = ]]; then cur=''",
        "    elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi",
        '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        "        next=${verb:+$verb }$word",
        f"        case $next in {words}) verb=$next ;; esac",
        "    done",
        "    case $verb in",
        f"        '') options='--help --version'; verbs='{' '.join(_below('', verbs))}' ;;",
    ]
    for verb in verbs:
        names = " ".join(["--help", *(name for option in verb.options for name in option.names)])
        lines.append(f"        '{verb.words}')")
        lines.append(f"            options='{names}'")
        if below := _below(verb.words, verbs):
            lines.append(f"            verbs='{' '.join(below)}'")
        lines += (f"            argument='{_bash_value(one)}'" for one in verb.arguments[:1])
        valued = [option for option in verb.options if option.completes is not Completes.FLAG]
        if valued:
            lines.append("            case $prev in")
            for option in valued:
                value = _bash_value(option) or " "
                lines.append(f"                {'|'.join(option.names)}) value='{value}' ;;")
            lines.append("            esac")
        lines.append("            ;;")
    return "\n".join([*lines, "    esac"]) + _BASH_END


def _bash_value(value: CompletedValue) -> str:
    match value.completes:
        case Completes.FILE | Completes.DIRECTORY:
            return f"@{value.completes.value}"
        case _:
            return " ".join(value.choices)


def zsh_script(verbs: Sequence[CompletedVerb]) -> str:
    """The script for zsh, to be sourced, or to be a file ``_crossgate`` in a directory of ``fpath``."""
    functions = "\n".join(_zsh_function(words, verbs) for words in _groups(verbs))
    return f"""\
#compdef crossgate
# Completes the command crossgate in zsh. Written by `crossgate completion zsh`.
{functions}
if [ "$funcstack[1]" = "_crossgate" ]; then
    _crossgate "$@"
else
    compdef _crossgate crossgate
fi
"""


def _zsh_function(words: str, verbs: Sequence[CompletedVerb]) -> str:
    """The function that completes the verbs of one group, and their options."""
    known = {verb.words: verb for verb in verbs}
    below = _below(words, verbs)
    own = (
        [_zsh_option(one) for one in known[words].options]
        if words in known
        else ["'--version[Print the version.]'"]
    )
    listed = " ".join(_zsh_quote(f"{name}:{known[f'{words} {name}'.strip()].help}") for name in below)
    cases = []
    for name in below:
        inner = f"{words} {name}".strip()
        if _below(inner, verbs):
            cases.append(f"            {name}) {_zsh_name(inner)} ;;")
        else:
            specs = [_zsh_option(one) for one in known[inner].options] + [
                _zsh_argument(one, number) for number, one in enumerate(known[inner].arguments, 1)
            ]
            cases.append(f"            {name}) _arguments -s {_ZSH_HELP} {' '.join(specs)} ;;")
    return "\n".join(
        [
            f"{_zsh_name(words)}() {{",
            "    local curcontext=$curcontext state line",
            "    typeset -A opt_args",
            f"    _arguments -C {_ZSH_HELP} {' '.join(own)} '1: :->verb' '*:: :->rest'",
            "    case $state in",
            f"        verb) local -a verbs=({listed}); _describe verb verbs ;;",
            "        rest) case $words[1] in",
            *cases,
            "        esac ;;",
            "    esac",
            "}",
        ]
    )


_ZSH_HELP = "'(-h --help)'{-h,--help}'[Show the help.]'"


def _zsh_name(words: str) -> str:
    return "_" + "_".join(["crossgate", *words.split()])


def _zsh_option(option: CompletedValue) -> str:
    text = option.help.replace("\\", "\\\\").replace("[", r"\[").replace("]", r"\]").replace(":", r"\:")
    value = "" if option.completes is Completes.FLAG else f":value:{_zsh_action(option)}"
    return " ".join(_zsh_quote(f"*{name}[{text}]{value}") for name in option.names)


def _zsh_argument(argument: CompletedValue, number: int) -> str:
    return _zsh_quote(f"{'*' if argument.completes is Completes.FILE else number}: :{_zsh_action(argument)}")


def _zsh_action(value: CompletedValue) -> str:
    match value.completes:
        case Completes.FILE:
            return "_files"
        case Completes.DIRECTORY:
            return "_files -/"
        case Completes.CHOICE:
            return f"({' '.join(value.choices)})"
        case _:
            return " "


def _zsh_quote(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"


def fish_script(verbs: Sequence[CompletedVerb]) -> str:
    """The script for fish 3 or newer."""
    lines = [
        "# Completes the command crossgate in fish. Written by `crossgate completion fish`.",
        "complete -c crossgate -f",
        "complete -c crossgate -s h -l help -d 'Show the help.'",
        f"complete -c crossgate -n '{_fish_at('', verbs)}' -l version -d 'Print the version.'",
    ]
    for verb in verbs:
        group, _, name = verb.words.rpartition(" ")
        lines.append(
            f"complete -c crossgate -n '{_fish_at(group, verbs)}' -a {name} -d {_fish_quote(verb.help)}"
        )
        at = _fish_at(verb.words, verbs)
        lines += (f"complete -c crossgate -n '{at}' {_fish_action(one)}" for one in verb.arguments)
        for option in verb.options:
            names = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
            )
            action = "" if option.completes is Completes.FLAG else f" -r {_fish_action(option)}"
            lines.append(f"complete -c crossgate -n '{at}' {names}{action} -d {_fish_quote(option.help)}")
    return "\n".join(lines) + "\n"


def _fish_at(words: str, verbs: Sequence[CompletedVerb]) -> str:
    """The condition that these words were typed, and none of the verbs below them."""
    typed = [f"__fish_seen_subcommand_from {word}" for word in words.split()]
    below = _below(words, verbs)
    typed += [f"not __fish_seen_subcommand_from {' '.join(below)}"] if below else []
    return "; and ".join(typed)


def _fish_action(value: CompletedValue) -> str:
    match value.completes:
        case Completes.FILE:
            return "-F"
        case Completes.DIRECTORY:
            return "-f -a '(__fish_complete_directories)'"
        case _:
            return f"-f -a '{' '.join(value.choices)}'"


def _fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", r"\'") + "'"


def _below(words: str, verbs: Iterable[CompletedVerb]) -> list[str]:
    """The names of the verbs directly below these words."""
    split = [verb.words.rpartition(" ") for verb in verbs]
    return [name for group, _, name in split if group == words]


def _groups(verbs: Sequence[CompletedVerb]) -> Iterator[str]:
    yield from (verb.words for verb in verbs if _below(verb.words, verbs))
    yield ""
