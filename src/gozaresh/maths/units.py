r"""Numbers and units as the siunitx package writes them (``\SI{5}{\metre\per\second}``), as plain LaTeX."""

from __future__ import annotations

import re

from gozaresh.common.errors import MathsError, nearest

UNITS = {
    "metre": "m", "meter": "m", "second": "s", "gram": "g", "kilogram": "kg", "ampere": "A", "kelvin": "K",
    "mole": "mol", "candela": "cd", "hertz": "Hz", "newton": "N", "pascal": "Pa", "joule": "J", "watt": "W",
    "coulomb": "C",
    "volt": "V", "farad": "F", "ohm": "Ω", "siemens": "S", "weber": "Wb", "tesla": "T", "henry": "H", "lumen": "lm",
    "lux": "lx", "becquerel": "Bq", "gray": "Gy", "sievert": "Sv", "radian": "rad", "steradian": "sr", "litre": "L",
    "liter": "L", "minute": "min", "hour": "h", "day": "d", "tonne": "t", "bar": "bar", "electronvolt": "eV",
    "bit": "bit", "byte": "B", "decibel": "dB", "bel": "B", "celsius": "°C", "degreeCelsius": "°C", "degree": "°",
    "percent": "%", "dalton": "Da", "astronomicalunit": "au", "kg": "kg", "m": "m", "s": "s", "km": "km", "cm": "cm",
    "mm": "mm", "nm": "nm", "Hz": "Hz", "V": "V", "W": "W", "N": "N", "J": "J", "Pa": "Pa", "eV": "eV", "K": "K",
}
PREFIXES = {
    "pico": "p", "nano": "n", "micro": "µ", "milli": "m", "centi": "c", "deci": "d", "deca": "da", "hecto": "h",
    "kilo": "k", "mega": "M", "giga": "G", "tera": "T", "peta": "P",
}
POWERS = {"squared": "2", "cubed": "3"}
BEFORE = {"square": "2", "cubic": "3"}
TOKEN = re.compile(r"\\(?P<name>[A-Za-z]+)|\\?(?P<sign>%|°)|(?P<letters>[A-Za-zµμΩ]+)|\^\{?(?P<power>-?[0-9]+)\}?"
                   r"|(?P<over>/)|[\s.~]+|\\[,;:]", re.S)
NUMBER = re.compile(r"\s*(?P<sign>[-+]?)(?P<digits>[0-9]*[.,]?[0-9]+)(?:\s*\((?P<error>[0-9]+)\))?"
                    r"(?:\s*(?:\\pm|\+-)\s*(?P<range>[0-9.,]+))?(?:[eEdD](?P<exponent>[-+]?[0-9]+))?\s*")


def number(raw: str) -> str:
    r"""A number: ``1.5e3`` is 1.5·10³.

    >>> number("1.5e3")
    '1.5\\times 10^{3}'
    """
    found = NUMBER.fullmatch(raw)
    if not found:
        return raw  # x, 2\pi: mathematics as it stands
    out = found["sign"] + found["digits"].replace(",", "{,}")
    out += f"({found['error']})" if found["error"] else ""
    out += rf"\pm {found['range']}" if found["range"] else ""
    return out + (rf"\times 10^{{{found['exponent']}}}" if found["exponent"] else "")


def unit(raw: str) -> str:
    r"""A unit: ``\metre\per\second\squared`` is m s⁻².

    >>> unit(r"\metre\per\second\squared")
    '\\mathrm{m}\\,\\mathrm{s}^{-2}'

    Raises:
        MathsError: a unit or prefix of that name is not known.
    """
    parts: list[list[str]] = []  # letters and power
    prefix, power, negative, at = "", "", False, 0
    while at < len(raw):
        found = TOKEN.match(raw, at)
        if not found:
            raise MathsError(f"the unit {raw!r} is not understood")
        at, name = found.end(), found["name"] or ""
        if name == "per" or found["over"]:
            negative = True
        elif name in PREFIXES:
            prefix = PREFIXES[name]
        elif name in BEFORE:
            power = BEFORE[name]
        elif (name in POWERS or found["power"]) and parts:
            parts[-1][1] = ("-" if parts[-1][1].startswith("-") else "") + (POWERS.get(name) or found["power"])
        elif name or found["letters"] or found["sign"]:
            parts.append([prefix + _letters(name, found), ("-" + (power or "1")) if negative else power])
            prefix, power, negative = "", "", False
    return r"\,".join(_one(letters, power) for letters, power in parts)


def _letters(name: str, found: re.Match[str]) -> str:
    if not name:
        return found["letters"] or found["sign"]
    if name not in UNITS:
        raise MathsError(f"the unit \\{name} is not known; {nearest(name, UNITS.keys() | PREFIXES.keys())}")
    return UNITS[name]


def _one(letters: str, power: str) -> str:
    sign = {"%": r"\%", "°": r"{}^\circ ", "°C": r"{}^\circ\mathrm{C}", "Ω": r"\Omega "}.get(letters)
    body = sign or rf"\mathrm{{{letters.replace('µ', 'μ')}}}"
    return body + (f"^{{{power}}}" if power else "")
