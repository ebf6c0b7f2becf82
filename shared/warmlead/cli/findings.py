"""Shows what is wrong or doubtful in a file that a person wrote, as compilers do."""

from rich.console import Console
from rich.markup import escape

from warmlead.model.findings import Finding, Severity


def print_finding(found: Finding, *, file: str, on: Console) -> None:
    """One fault or doubt: where it is, what it is, and what may have been meant."""
    colour = "red" if found.severity is Severity.ERROR else "yellow"
    where = f"{file}:{found.line}:{found.column}"
    subject = f"{found.path}: " if found.path else ""
    told = escape(subject + found.message)
    on.print(f"[bold]{escape(where)}[/] [{colour}]{found.severity}[/] {told}", soft_wrap=True)
    if found.suggestion:
        on.print(f"    [dim]{escape(found.suggestion)}[/]", soft_wrap=True)
