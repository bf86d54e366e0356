"""The arguments of `python -m incus_sdk`."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from contextlib import suppress

__all__ = ["CONDITIONS", "STREAM", "parsed"]

STREAM = "-"
"""What stands for standard input or output in the place of a file."""

CONDITIONS = {
    "running": "it runs (the default)",
    "ready": "it has told the server that it is ready",
    "agent": "processes run in it, in a virtual machine the agent",
    "ip": "it has an address that others can reach, which is printed",
    "stopped": "it has stopped, or is gone",
}
"""What can be waited for."""

EPILOG = """\
Exit codes: that of the command that was run (128 + n if signal n ended it; 126 and 127 if it could not be), 130 after
Ctrl-C, 1 after any other failure, 2 if the arguments are wrong.
"""

DEFAULTS = {"endpoint": None, "cert": None, "key": None, "verify": True, "project": None}


def parsed(arguments: Sequence[str]) -> Namespace:
    """Return the options, with a `verb`; the command behind a `--` as `command`.

    Raises:
        SystemExit: They are wrong, or help was asked for.
    """
    own, command = _split(list(arguments))
    parser = _parser()
    options, unknown = parser.parse_known_args(own, Namespace(**DEFAULTS, command=command))
    if unknown:
        hint = "; a command stands behind --, as in `exec web -- ls /`" if options.verb == "exec" else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    if options.verb == "exec" and not command:
        parser.error("exec needs a command behind --, as in `exec web -- ls /`")
    if options.verb != "exec" and command:
        parser.error(f"{options.verb} takes no command, so no --; exec does")
    if options.key and not options.cert:
        parser.error("--key needs --cert")
    return options


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _parser() -> ArgumentParser:
    common = _common()
    parser = ArgumentParser(
        "python -m incus_sdk", description="A small client of an Incus server.", epilog=EPILOG, parents=[common]
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def add(name: str, text: str) -> ArgumentParser:
        return verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", parents=[common])

    for name, text in (("info", "tell about the server"), ("ls", "list instances")):
        add(name, text).add_argument("--json", action="store_true", help="print what the server says, as JSON")
    verbs.choices["ls"].add_argument("--all-projects", action="store_true", help="list those of all projects")
    running = add("exec", "run a command in an instance, as in `exec web -- ls /`")
    running.usage = "python -m incus_sdk exec [OPTIONS] NAME -- COMMAND [ARGUMENTS ...]"
    _run_options(running)
    _run_options(add("shell", "run a login shell in an instance"))
    terminal = running.add_mutually_exclusive_group()
    terminal.add_argument("-t", "--tty", dest="tty", action="store_true", default=None, help="give it a terminal")
    terminal.add_argument("-T", "--no-tty", dest="tty", action="store_false", help="give it pipes")
    push = add("push", "copy a file into an instance")
    push.add_argument("source", metavar="LOCAL", help="a file here, or - for standard input")
    push.add_argument("target", metavar="NAME/PATH", type=_place, help="instance and path in it; of a folder with a /")
    pull = add("pull", "copy a file out of an instance")
    pull.add_argument("source", metavar="NAME/PATH", type=_place, help="instance and path in it")
    pull.add_argument("target", metavar="LOCAL", help="a file or folder here, or - for standard output")
    _wait_options(add("wait", "wait until an instance is in some state"))
    return parser


def _common() -> ArgumentParser:
    """Options that stand before the verb or behind it; without defaults, or the second place would undo the first."""
    common = ArgumentParser(add_help=False, argument_default=SUPPRESS)
    common.add_argument("--endpoint", metavar="URL", help="https://HOST:8443 or unix:///PATH; else INCUS_ENDPOINT, ...")
    common.add_argument("--cert", metavar="FILE", help="client certificate")
    common.add_argument("--key", metavar="FILE", help="its key, unless it is in the same file")
    common.add_argument("--verify", metavar="FILE", help="certificate that the server must have")
    common.add_argument("--no-verify", dest="verify", action="store_false", help="accept whatever server answers")
    common.add_argument("--project", metavar="NAME")
    return common


def _run_options(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--env", metavar="KEY=VALUE", type=_variable, action="append", help="environment variable")
    parser.add_argument("--user", metavar="UID", type=int, help="user to run as; root by default")
    parser.add_argument("--group", metavar="GID", type=int)
    parser.add_argument("--cwd", metavar="FOLDER", help="folder to run in")
    parser.set_defaults(tty=None)


def _wait_options(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")
    conditions = "; ".join(f"{name}: {text}" for name, text in CONDITIONS.items())
    parser.add_argument("--for", dest="condition", choices=CONDITIONS, default="running", help=conditions)
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, help="give up after that; never by default")
    parser.add_argument("--json", action="store_true", help="print name, status and addresses as JSON")


def _variable(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if (seconds := float(text)) > 0:
            return seconds
    raise ArgumentTypeError(f"{text!r} is no time to wait: it has to be a number of seconds, more than 0")


def _place(text: str) -> tuple[str, str]:
    name, slash, path = text.partition("/")
    if not name or not slash or not path:
        raise ArgumentTypeError(f"{text!r} is not NAME/PATH, as web/etc/hosts is")
    return name, f"/{path}"
