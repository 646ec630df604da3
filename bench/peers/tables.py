"""What was measured, as Markdown: the best of each contender, what was tried to find it, and what is missing and why.

Rows are the contenders' lines, each with `contender`, `variant`, `settings`, `load`, `void` and `first_try`.
"""


def label(row):
    return ", ".join(filter(None, [row["mode"], row["variant"]]))


def best(rows, key, modes=None):
    """The row with the least of `key`, void ones left out; None if there is none."""
    return min((r for r in rows if not r["void"] and (modes is None or r["mode"] in modes)), key=lambda r: r[key],
               default=None)


def keys_of(rows, failures, skipped):
    """(work, threads) of every line."""
    return list(dict.fromkeys([(r["work"], r["threads"]) for r in rows] + [k[:2] for k in failures] + [k[:2] for k in skipped]))


def of_line(rows, key, name):
    return [r for r in rows if (r["work"], r["threads"], r["contender"]) == (*key, name)]


def grid(headings, lines):
    return "\n".join("| " + " | ".join(line) + " |" for line in [headings, ["---"] * len(headings), *lines])


def table(rows, failures, skipped, peers, lacking):
    """A line a work and number of threads: the best of each contender, and the best peer against ours."""
    names = ["weft"] + peers

    def cell(key, name, fastest):
        if fastest:
            return f"{fastest['median_us']:.4g} ({label(fastest)})"
        if name in lacking:
            return "not installed"
        if of_line(rows, key, name):
            return "VOID"
        return "failed" if any(k[:3] == (*key, name) for k in failures) else "not tried"

    def ratio(mine, others, figure):
        others = [r[figure] for r in others if r]
        return f"{min(others) / mine[figure]:.2f}x" if mine and others else "void" if not mine else "no peer"

    lines = []
    for key in keys_of(rows, failures, skipped):
        of = {name: of_line(rows, key, name) for name in names}
        fastest = {name: best([r for r in of[name] if not r["first_try"]], "median_us") for name in names}
        compiled = {name: best(of[name], "first_call_s", ("compile",)) for name in names}
        first = compiled["weft"]
        lines.append([key[0], str(key[1])] + [cell(key, name, fastest[name]) for name in names]
                     + [ratio(fastest["weft"], [fastest[p] for p in peers], "median_us"),
                        f"{1e3 * first['first_call_s']:.0f} ms, " + ratio(first, [compiled[p] for p in peers], "first_call_s")
                        if first else ""])
    return grid(["work", "threads", *names, "best peer / Weft", "first call: Weft, best compiler / Weft"], lines)


def tried(rows, failures, skipped, peers):
    """A line a work: all modes of each contender, with the fastest step of their first, short try; in bold those timed in turns."""
    names = ["weft"] + peers
    lines = []
    for key in keys_of(rows, failures, skipped):
        line = [key[0], str(key[1])]
        for name in names:
            mine = of_line(rows, key, name)
            timed = {label(r) for r in mine if not r["first_try"]}
            texts = []
            for r in sorted((r for r in mine if r["first_try"]), key=lambda r: r["min_us"]):
                text = f"{label(r)}: " + ("VOID" if r["void"] else f"{r['min_us']:.4g}")
                texts.append(f"**{text}**" if label(r) in timed else text)
            texts += [f"{k[3]}: failed" for k in failures if k[:3] == (*key, name)]
            texts += [f"{k[3] or 'all'}: not tried" for k in skipped if k[:3] == (*key, name)]
            line.append("; ".join(texts))
        lines.append(line)
    return grid(["work", "threads", *names], lines)


def by_reason(entries):
    """(who, why, works) of {(work, threads, peer, label): why}."""
    works = {}
    for (work, _, peer, mode), why in entries.items():
        works.setdefault((" ".join(filter(None, [peer, mode])), why), []).append(work)
    return [(who, why, ", ".join(dict.fromkeys(of))) for (who, why), of in works.items()]


def notes(rounds, rows, failures, skipped, lacking):
    """What the tables mean, and what is not in them."""
    loads = [r["load"] for r in rows] or [0]
    lines = [f"Microseconds a step (W10: an op), the best mode of each that was tried; least of the medians of {rounds} rounds "
             f"in turns. Load {min(loads):.1f} to {max(loads):.1f}. weft: its own allocator, no settings."]
    for contender, version in dict.fromkeys((r["contender"], r["peer"]) for r in rows):
        settings = dict.fromkeys(r["settings"] for r in rows if r["contender"] == contender and r["settings"])
        lines.append(f"- {version}: " + ("; or ".join(settings) or "no settings"))
    lines += [f"- {peer}: not installed: {why}" for peer, why in lacking.items()]
    lines += [f"- {who} not tried on {works}: {why}" for who, why, works in by_reason(skipped)]
    lines += [f"- {who} failed on {works}: {why}" for who, why, works in by_reason(failures)]
    void = dict.fromkeys((r["peer"], label(r), r["work"], r["check"]) for r in rows if r["void"])
    lines += [f"- VOID: {peer} {mode} on {work}: its check is {check}" for peer, mode, work, check in void]
    return "\n".join(lines)
