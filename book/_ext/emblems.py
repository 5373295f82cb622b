"""A line drawing for each chapter's opening: its idea in the colors of the figures.

Orange is the actor, blue the critic, green what the two make together, purple what is
wrong. A drawing is a list of shapes; ``openings.css`` gives the classes their colors.
Coordinates are those of a strip of 720 by 112, with y downward and the ground at 100.
"""

from itertools import pairwise
from math import cos, exp, pi, sin, tanh

WIDTH, HEIGHT, GROUND = 720, 112, 100


def line(role, *points):
    """A line through points (x, y)."""
    where = " ".join(f"{x:.4g},{y:.4g}" for x, y in points)
    return f'<polyline class="{role}" points="{where}"/>'


def dot(role, x, y, radius=4):
    """A disc."""
    return f'<circle class="{role} dot" cx="{x:.4g}" cy="{y:.4g}" r="{radius}"/>'


def curve(role, height, left, right, points=48):
    """The graph of a height above the ground, between two places on the ground."""
    places = [left + (right - left) * i / (points - 1) for i in range(points)]
    return line(role, *((x, GROUND - height(x)) for x in places))


def ground(left=0, right=WIDTH):
    """The axis that a drawing stands on."""
    return line("ground", (left, GROUND), (right, GROUND))


def triangle(role, x, run, rise):
    """A slope on the ground: its run, its rise, and the line that they belong to."""
    start, corner = (x, GROUND), (x + run, GROUND)
    top = (x + run, GROUND - rise)
    return line("ground", start, corner, top) + line(role, start, top)


def composite():
    """Two graphs, and the graph of one put into the other."""
    yield from (ground(x, x + 180) for x in (0, 270, 540))
    yield curve("actor", lambda x: 10 + 75 * x / 180, 0, 180, 2)
    yield curve("critic", lambda x: 90 - ((x - 385) / 13) ** 2, 270, 450)
    yield curve("composite", lambda x: 90 - ((x - 625) / 9) ** 2, 545, 710)
    yield from (line("ground", (x, 50), (x + 34, 50)) for x in (208, 478))
    yield from (line("ground", (x, 45), (x + 6, 50), (x, 55)) for x in (236, 506))
    yield dot("actor", 60, 65) + dot("critic", 330, 27.9) + dot("composite", 580, 35)


def chain_rule():
    """The rise of one slope is the run of the next; the third is their product."""
    yield ground()
    yield triangle("actor", 60, 90, 30) + triangle("critic", 330, 30, 60)
    yield triangle("composite", 560, 90, 60)
    yield dot("actor", 150, 70) + dot("critic", 360, 40) + dot("composite", 650, 40)


def jacobians():
    """Three parameters, two actions, one value, and every road between them."""
    parameters = [(60, 14), (60, 56), (60, 98)]
    actions, value = [(360, 28), (360, 84)], (660, 56)
    for i, j in ((0, 0), (1, 0), (1, 1), (2, 1)):
        yield line("actor", parameters[i], actions[j])
    yield from (line("critic", action, value) for action in actions)
    yield from (dot("actor", x, y, 6) for x, y in parameters + actions)
    yield dot("critic", *value, 6)


def actor_step():
    """Steps that climb a hill."""

    def hill(x):
        return 92 - ((x - 430) / 30) ** 2

    yield ground() + curve("critic", hill, 155, 705)
    places = [172, 275, 337, 374, 396, 410]
    yield line("actor", *((x, GROUND - hill(x)) for x in places))
    yield from (dot("actor", x, GROUND - hill(x)) for x in places)


def critic():
    """A value that is nearly right, and a slope that is not."""

    def true(x):
        return 80 - ((x - 380) / 44) ** 2

    def learned(x):
        return true(x) + 7 * sin(x / 13)

    yield ground() + curve("ground", true, 30, 720)
    yield curve("critic", learned, 30, 720, 120)
    slope = (learned(201) - learned(199)) / 2
    yield curve("wrong", lambda x: learned(200) + slope * (x - 200), 168, 232, 2)
    yield dot("wrong", 200, GROUND - learned(200))


def theorem():
    """Discounted terms, and the sum that they add up to."""
    yield ground()
    total, sums = 0.0, []
    for t in range(12):
        x, term = 35 + 58 * t, 34 * 0.65**t
        total += term
        sums.append((x, GROUND - 0.9 * total))
        yield line("actor wide", (x, GROUND), (x, GROUND - 0.9 * term))
    yield line("composite", *sums) + "".join(dot("composite", x, y) for x, y in sums)


def lqr():
    """Three starts, and a gain that brings each of them to rest."""
    middle = HEIGHT / 2

    def swing(height, stretch):
        return lambda x: GROUND - middle + height * exp(-x / 170) * cos(x / stretch)

    yield line("ground", (0, middle), (WIDTH, middle))
    yield curve("actor", swing(46, 60), 0, WIDTH)
    yield curve("critic", swing(30, 95), 0, WIDTH)
    yield curve("composite", swing(-42, 75), 0, WIDTH)


def off_policy():
    """Where the data are, where the policy acts, and the value under both."""
    yield ground()
    yield curve("ground", lambda x: 70 * exp(-(((x - 250) / 100) ** 2)), 10, 560)
    yield curve("actor", lambda x: 70 * exp(-(((x - 460) / 55) ** 2)), 300, 620)
    yield curve("critic", lambda x: 92 - ((x - 560) / 58) ** 2, 30, 720)


def mechanisms():
    """A value that jumps, its slow copy, and the memory that both learn from."""
    fast, slow, jumps, copies = 30.0, 30.0, [], []
    for i in range(60):
        fast = 30 + 0.75 * i + 17 * sin(1.7 * i) * cos(0.6 * i * i % 7)
        slow += 0.12 * (fast - slow)
        jumps.append((12 * i + 6, GROUND - 8 - fast))
        copies.append((12 * i + 6, GROUND - 8 - slow))
    yield line("critic thin", *jumps) + line("composite", *copies)
    yield from (dot("ground", 12 * i + 6, 106, 2) for i in range(60))


def by_hand():
    """A network, drawn weight by weight."""
    layers = [
        [(x, HEIGHT / 2 + 26 * (i - (n - 1) / 2)) for i in range(n)]
        for x, n in ((90, 3), (270, 4), (450, 4), (630, 1))
    ]
    for left, right in pairwise(layers):
        yield from (line("ground", a, b) for a in left for b in right)
    roles = ("actor", "ground", "ground", "critic")
    for layer, role in zip(layers, roles, strict=True):
        yield from (dot(role, x, y, 6) for x, y in layer)


def ddpg():
    """A film of the rod: from hanging to upright."""
    angles = (180, 205, 150, 235, 112, 292, 55, 22, 6, 0)
    for i, angle in enumerate(angles):
        x, y = 45 + 70 * i, HEIGHT / 2
        tip = x + 46 * sin(pi * angle / 180), y - 46 * cos(pi * angle / 180)
        yield line("actor wide", (x, y), tip) + dot("ground", x, y, 3)


def comparing():
    """Two groups of ten, and an interval for each."""
    for y, role, center in ((32, "critic", 290), (84, "actor", 410)):
        spread = [center + 150 * sin(2.4 * i + y) * (0.4 + 0.06 * i) for i in range(10)]
        mean = sum(spread) / 10
        yield line("ground", (40, y), (680, y)) + "".join(
            dot(role, x, y) for x in spread
        )
        yield line(role, (mean - 60, y + 14), (mean + 60, y + 14))
        yield line(role, (mean, y + 9), (mean, y + 19))


def fails():
    """A run that learns, and one that had learned."""

    def learns(x):
        return 46 + 40 * tanh((x - 190) / 80) + 2 * sin(x / 9)

    def forgets(x):
        return max(learns(x) - 6 - 34 * (1 + tanh((x - 450) / 45)) - 4 * sin(x / 7), 2)

    yield ground()
    yield curve("composite", learns, 0, WIDTH, 90)
    yield curve("wrong", forgets, 0, WIDTH, 90)


def beyond():
    """Four places where a formula can change, and four agents that change some."""
    changes = ((2,), (0,), (2, 3), (0, 1, 2))
    for row, changed in enumerate(changes):
        y = 14 + 28 * row
        yield line("ground", (90, y), (630, y))
        for place in range(4):
            on = place in changed
            yield dot("critic" if on else "ground", 90 + 180 * place, y, 8 if on else 3)


def real_task():
    """A leg that hops from left to right, and the line where it falls."""
    yield ground() + line("wrong thin", (0, 86), (WIDTH, 86))
    places = []
    for i in range(9):
        x, up = 40 + 80 * i, 22 * abs(sin(1.9 * i))
        hip, knee = (x + 10, 26 - 0.6 * up), (x - 8, 56 - 0.8 * up)
        ankle, toe = (x + 6, 92 - up), (x + 24, 96 - up)
        places.append(hip)
        yield line("actor wide", hip, knee, ankle, toe)
        yield dot("ground", *knee, 3) + dot("ground", *ankle, 3)
    yield line("composite", *places) + "".join(dot("critic", *hip) for hip in places)


DRAWINGS = {
    "intro": composite,
    "01": composite,
    "02": chain_rule,
    "03": jacobians,
    "04": actor_step,
    "05": critic,
    "06": theorem,
    "07": lqr,
    "08": off_policy,
    "09": mechanisms,
    "10": by_hand,
    "11": ddpg,
    "12": comparing,
    "13": fails,
    "14": beyond,
    "15": real_task,
}


def emblem(chapter):
    """The drawing of a chapter, as SVG; a screen reader says what it shows."""
    drawing = DRAWINGS[chapter]
    said = " ".join(drawing.__doc__.split())
    return (
        f'<svg class="emblem" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' aria-label="{said}">{"".join(drawing())}</svg>'
    )
