#!/usr/bin/env python3
"""The polynomials of ops/math/{bessel,erfinv,gamma}.h that no Sollya command gives: `tools/fit.py [NAME...]`; wants mpmath.

Each interpolates its function at the n + 1 Chebyshev nodes of the interval, in 60 digits. Its coefficients are rounded
to f64, the first one or two, where the formula wants that, to sums of two. The error is the largest on 400 points
(coefficients rounded), beside what it is added to or multiplies with.
"""
import sys

from mpmath import (besseli, cos, cot, erfc, erfinv, euler, exp, findroot, log, loggamma, mp, mpf, pi, psi, sin, sqrt,
                    tan)

mp.dps = 60
ROOT = findroot(lambda x: psi(0, x), 1.46163214496836234)  # digamma's


def tail(r):
    """erfinv(1 - 2 exp(-r^2))."""
    q = 2 * exp(-r * r)
    return findroot(lambda y: log(erfc(y)) - log(q), r - mpf("0.4"))


def even(f, at_zero):
    """f of sqrt(s), with its limit where s is too small."""
    return lambda s: at_zero if s < mpf(10) ** -20 else f(sqrt(s))


# name: function, interval, degree, what the error counts beside, how many coefficients are sums of two
FITS = {
    "i0": (lambda u: besseli(0, 16 / (1 + u)) * exp(-16 / (1 + u)) * sqrt(16 / (1 + u)), [mpf(16) / 720 - 1, 1], 27, 0.4, 1),
    "i1": (lambda u: besseli(1, 16 / (1 + u)) * exp(-16 / (1 + u)) * sqrt(16 / (1 + u)), [mpf(16) / 720 - 1, 1], 27, 0.4, 1),
    "erfinv": (lambda w: pi ** 1.5 / 24 if w < mpf(10) ** -20 else (erfinv(sqrt(w)) / sqrt(w) - sqrt(pi) / 2) / w,
               [0, mpf("0.5625")], 23, 1.6),
    "erfinv_tail": (lambda v: tail(3 * (1 + v) / (1 - v)) - 3 * (1 + v) / (1 - v) + mpf("0.4375"),
                    [-mpf("0.351"), mpf("0.343")], 22, 0.8),
    "lgamma": (lambda w: 1 - euler if abs(w) < mpf(10) ** -20 else loggamma(2 + w) / w, [-mpf("0.625"), mpf("0.375")], 23, 0.25, 2),
    "digamma": (lambda v: psi(0, 2 * (1 + v) / (1 - v)) / (2 * (1 + v) / (1 - v) - ROOT), [-mpf(1) / 3, mpf(1) / 3], 25, 0.5, 1),
    "digamma_far": (even(lambda t: (log(1 / t) - t / 2 - psi(0, 1 / t)) / t ** 2, mpf(1) / 12), [0, mpf(1) / 16], 9, 20),
    "cot": (even(lambda t: (pi * cot(pi * t) - 1 / t) / t, -pi ** 2 / 3), [0, mpf(1) / 16], 10, 12),
    "tan": (even(lambda t: pi * tan(pi * t) / t, pi ** 2), [0, mpf(1) / 16], 15, 9.8, 1),
    "sin": (even(lambda t: (sin(pi * t) / (pi * t) - 1) / t ** 2, -pi ** 2 / 6), [0, mpf("0.09")], 8, 9),
    "cos": (even(lambda t: (cos(pi * t) - 1) / t ** 2, -pi ** 2 / 2), [0, mpf("0.04")], 7, 20),
}


def interpolate(f, low, high, degree):
    """Newton's divided differences at Chebyshev's nodes, multiplied out."""
    n = degree + 1
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    table = [f(x) for x in nodes]
    for k in range(1, n):
        for i in range(n - 1, k - 1, -1):
            table[i] = (table[i] - table[i - 1]) / (nodes[i] - nodes[i - k])
    c = [table[-1]]
    for i in range(n - 2, -1, -1):
        c = [table[i] - nodes[i] * c[0]] + [c[j - 1] - nodes[i] * c[j] for j in range(1, len(c))] + [c[-1]]
    return c


def show(name):
    f, interval, degree, beside, twos = (*FITS[name], 0)[:5]
    low, high = map(mpf, interval)
    c = interpolate(f, low, high, degree)
    rounded = [float(x) for x in c]
    rest = [float(c[k] - rounded[k]) for k in range(twos)] + [0.0] * (degree + 1 - twos)
    used = [mpf(x) + low for x, low in zip(rounded, rest)]
    worst = 0
    for i in range(401):
        x = low + (high - low) * i / 400
        p = mpf(0)
        for a in reversed(used):
            p = p * x + a
        worst = max(worst, abs(p - f(x)))
    print(f"{name}: degree {degree}, error 2^{float(log(worst / beside, 2)):.1f}")
    print("  " + ", ".join(x.hex() for x in rounded))
    if twos:
        print("  and " + ", ".join(x.hex() for x in rest[:twos]))


if __name__ == "__main__":
    for name in sys.argv[1:] or FITS:
        show(name)
    for name, x in {"root": ROOT, "sqrt(pi)/2": sqrt(pi) / 2, "log(2 pi)/2": log(2 * pi) / 2}.items():
        print(f"{name}: {float(x).hex()} + {float(x - float(x)).hex()}")
