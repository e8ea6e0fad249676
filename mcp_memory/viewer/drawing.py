"""Drawing: small pictures as SVG, made on the server; colours and type come from the style sheet."""

from collections.abc import Mapping

from markupsafe import Markup

_WIDTH, _HEIGHT, _GAP = 640, 80, 3


def columns(values: Mapping[str, int], *, title: str) -> Markup:
    """One column a value, in order; each says its name and number when it is pointed at."""
    most = max(values.values(), default=0) or 1
    step = _WIDTH / max(1, len(values))
    made = []
    for place, (name, value) in enumerate(values.items()):
        tall = _HEIGHT * value / most
        made.append(
            Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1.5">'
                "<title>{}: {}</title></rect>"
            ).format(
                place * step, _HEIGHT - tall, max(1.0, step - _GAP), max(tall, 0.5), name, value
            )
        )
    return Markup(
        '<svg class="columns" viewBox="0 0 {} {}" role="img" aria-label="{}" '
        'preserveAspectRatio="none">{}</svg>'
    ).format(_WIDTH, _HEIGHT, title, Markup("").join(made))


def shade(value: float, most: float) -> int:
    """A shade of a heat map, 0 (nothing) to 5."""
    return 0 if value <= 0 or most <= 0 else max(1, min(5, round(5 * (value / most) ** 0.5)))
