"""Copy a model function's body into a kernel: names become the kernel's, numbers the network's dtype.

The text is what a reader of the kernel sees; nothing is called, so LLVM vectorises across the whole update.
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

from insectbot.errors import Unsupported
from insectbot.snn.functions import NAMES
from insectbot.snn.model import Source

_RENAMED = {"minimum": "min", "maximum": "max", "abs": "abs", "min": "min", "max": "max", "sqrt": "math.sqrt"}
_TYPED = {"exp", "expm1", "log", "tanh", "exprel", "floor"}


@dataclass(frozen=True)
class Function:
    """A parsed model function: its text, the names it takes, the names (or one expression) it returns."""

    text: str
    arguments: tuple[str, ...]
    returns: tuple[str, ...]
    expression: bool
    calls: frozenset[str]


@dataclass(frozen=True)
class Inlined:
    """Statements, and the expression of each returned name (``""`` for a single expression)."""

    lines: list[str]
    results: dict[str, str]


def source_text(source: Source) -> str:
    """Return the text of a function (decorators and indentation removed).

    Raises
    ------
    Unsupported
        If its source cannot be read, as for functions typed into an interactive session.
    """
    if isinstance(source, str):
        return textwrap.dedent(source).strip() + "\n"
    try:
        text = textwrap.dedent(inspect.getsource(source))
    except (OSError, TypeError) as error:
        raise Unsupported(f"model function {source!r}: its source cannot be read; put the model into a file") from error
    lines = text.splitlines()
    while lines and not lines[0].lstrip().startswith("def "):
        lines.pop(0)
    text = "\n".join(lines) + "\n"
    if not _same(text, source):
        raise Unsupported(f"model function {source.__qualname__}: its file was edited after its import; start anew")
    return text


def _code(text: str) -> CodeType | None:
    try:
        module = compile("from __future__ import annotations\n" + text, "<model>", "exec")
    except SyntaxError:
        return None
    return next((c for c in module.co_consts if isinstance(c, CodeType)), None)


def _same(text: str, source: Callable[..., object]) -> bool:
    """Tell whether a text is what a function was compiled from (``inspect`` reads the file as it is now)."""
    code, real = _code(text), getattr(source, "__code__", None)
    return code is not None and real is not None and (code.co_code, code.co_consts) == (real.co_code, real.co_consts)


@lru_cache(maxsize=1024)
def parse(text: str, owner: str) -> Function:
    """Read a function's text; ``owner`` names it in errors.

    Raises
    ------
    Unsupported
        If it is more than straight-line code, naming the line.
    """
    definition = _definition(text, owner)
    body = _body(definition)
    if not body or not isinstance(body[-1], ast.Return) or body[-1].value is None:
        raise Unsupported(f"{owner}: must end with return")
    for statement in body[:-1]:
        _check(statement, owner)
    value = body[-1].value
    items = value.elts if isinstance(value, ast.Tuple) else [value]
    names = tuple(n.id for n in items if isinstance(n, ast.Name))
    expression = len(names) != len(items)
    if expression and len(items) > 1:
        raise Unsupported(f"{owner}: must return names, such as 'return v, w'")
    calls = {n.func.id for n in ast.walk(definition) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    unknown = sorted(calls - {*NAMES, "range"})
    if unknown:
        raise Unsupported(f"{owner}: calls {unknown[0]!r}, which is not one of {', '.join(NAMES)}")
    arguments = tuple(a.arg for a in definition.args.args if a.arg != "self")
    return Function(text, arguments, names, expression, frozenset(calls))


def _definition(text: str, owner: str) -> ast.FunctionDef:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise Unsupported(f"{owner}: {error.msg} (line {error.lineno})") from error
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        raise Unsupported(f"{owner}: must be one function made with def")
    return tree.body[0]


def _body(definition: ast.FunctionDef) -> list[ast.stmt]:
    first = definition.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return definition.body[1:] if documented else definition.body


def _check(statement: ast.stmt, owner: str) -> None:
    if isinstance(statement, ast.For):
        call = statement.iter
        ranged = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"
        if not (ranged and isinstance(call, ast.Call) and len(call.args) == 1) or statement.orelse:
            raise Unsupported(f"{owner}, line {statement.lineno}: a loop must be 'for _ in range(n)'")
        for inner in statement.body:
            _check(inner, owner)
    elif isinstance(statement, ast.Assign):
        target = statement.targets[0]
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        if len(statement.targets) > 1 or not all(isinstance(n, ast.Name) for n in names):
            raise Unsupported(f"{owner}, line {statement.lineno}: must assign to names")
    elif not (isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name)):
        kind = type(statement).__name__
        raise Unsupported(f"{owner}, line {statement.lineno}: {kind} is not straight-line code; use where(c, a, b)")


class _Rename(ast.NodeTransformer):
    """Rewrites expressions: names by a mapping, numbers and calls for one dtype."""

    def __init__(self, names: Mapping[str, str], dtype: str, owner: str) -> None:
        self.names, self.dtype, self.owner = dict(names), dtype, owner

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a name by what it stands for in the kernel."""
        if node.id not in self.names:
            raise Unsupported(f"{self.owner}: {node.id!r} is not an argument and was not assigned before")
        return ast.parse(self.names[node.id], mode="eval").body

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Give a number the network's dtype."""
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        text = f"np.float32({node.value!r})" if self.dtype == "f4" else repr(float(node.value))
        return ast.parse(text, mode="eval").body

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Turn small whole powers into products."""
        power = node.right
        if isinstance(node.op, ast.Pow):
            if not (isinstance(power, ast.Constant) and power.value in (2, 3, 4)):
                raise Unsupported(f"{self.owner}: only powers 2, 3 and 4 are known; use exp(log(x) * p)")
            base = ast.unparse(self.visit(node.left))
            return ast.parse(" * ".join([f"({base})"] * int(str(power.value))), mode="eval").body
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace a known function by its jitted form."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        arguments = [self.visit(a) for a in node.args]
        if name == "where" and len(arguments) == 3:
            return ast.IfExp(test=arguments[0], body=arguments[1], orelse=arguments[2])
        if name in ("uniform", "normal"):
            return ast.parse(self.names[f"{name}()"], mode="eval").body
        target = f"{name}_{self.dtype}" if name in _TYPED else _RENAMED[name]
        return ast.Call(func=ast.parse(target, mode="eval").body, args=arguments, keywords=[])


def inline(
    function: Function,
    names: Mapping[str, str],
    *,
    dtype: str,
    prefix: str,
    owner: str,
    counts: Mapping[str, int] | None = None,
) -> Inlined:
    """Return the statements of a function with its arguments bound to kernel expressions.

    Parameters
    ----------
    function : Function
        What :func:`parse` returned.
    names : mapping of str to str
        Argument -> expression in the kernel; ``"uniform()"`` and ``"normal()"`` -> that of a random number.
    dtype : {"f4", "f8"}
        Type of numbers.
    prefix : str
        Put before every name the function assigns.
    owner : str
        Names the function in errors.
    counts : mapping of str to int, optional
        Values of names in ``range(name)``.
    """
    body = _body(_definition(function.text, owner))
    bound = {a: names[a] for a in function.arguments}
    rename = _Rename({**bound, **{k: v for k, v in names.items() if k.endswith("()")}}, dtype, owner)
    lines: list[str] = []
    for statement in body[:-1]:
        _statement(statement, rename, prefix, lines, counts or {})
    last = body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    if value is None:
        raise Unsupported(f"{owner}: must end with return")
    if function.expression:
        return Inlined(lines, {"": _text(rename, value)})
    return Inlined(lines, {name: rename.names[name] for name in function.returns})


def _text(rename: _Rename, node: ast.expr) -> str:
    return ast.unparse(ast.fix_missing_locations(rename.visit(copy.deepcopy(node))))


def _statement(node: ast.stmt, rename: _Rename, prefix: str, lines: list[str], counts: Mapping[str, int]) -> None:
    if isinstance(node, ast.For):
        limit = node.iter.args[0] if isinstance(node.iter, ast.Call) else None
        n = limit.value if isinstance(limit, ast.Constant) else counts.get(getattr(limit, "id", ""), None)
        if not isinstance(n, int):
            raise Unsupported(f"{rename.owner}: range() needs a number or a whole-number field of the model")
        for _ in range(n):
            for inner in node.body:
                _statement(inner, rename, prefix, lines, counts)
        return
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        name = node.target.id
        value: ast.expr = ast.BinOp(left=ast.Name(id=name, ctx=ast.Load()), op=node.op, right=node.value)
        targets = [name]
        values = [value]
    elif isinstance(node, ast.Assign):
        target = node.targets[0]
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        targets = [n.id for n in names if isinstance(n, ast.Name)]
        values = list(node.value.elts) if isinstance(node.value, ast.Tuple) else [node.value]
        if len(values) != len(targets):
            raise Unsupported(f"{rename.owner}, line {node.lineno}: must assign as many values as names")
    else:
        raise Unsupported(f"{rename.owner}: {type(node).__name__} is not straight-line code")
    texts = [_text(rename, v) for v in values]
    for name in targets:
        rename.names[name] = f"{prefix}{name}"
    lines.append(", ".join(rename.names[n] for n in targets) + " = " + ", ".join(texts))
