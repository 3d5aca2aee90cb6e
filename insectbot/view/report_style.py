"""The style sheet of the report: one column, a light and a dark theme, fit for print. Nothing from outside."""

from typing import Final

CSS: Final = """
:root {
  color-scheme: light dark;
  --paper: #faf9f6; --panel: #ffffff; --ink: #1f2429; --muted: #6a7178; --hairline: #dad8d1;
  --accent: #00705a; --mark: #eef6f2;
  --sans: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #16191c; --panel: #1d2125; --ink: #e6e4de; --muted: #9aa1a8; --hairline: #383d42;
    --accent: #5cc9a7; --mark: #1c2f29; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 var(--sans);
  font-feature-settings: "kern", "liga"; }
main { max-width: 1080px; margin: 0 auto; padding: 56px 32px 96px; }
header { margin-bottom: 40px; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 14px; text-wrap: balance; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 56px 0 10px; padding-top: 18px;
  border-top: 1px solid var(--hairline); }
p, dl { max-width: 74ch; margin: 0 0 12px; }
.kicker { color: var(--muted); font-size: 0.86rem; margin-bottom: 8px; overflow-wrap: anywhere; }
.result { font-size: 1.15rem; line-height: 1.5; max-width: 66ch; text-wrap: pretty; }
.note, .missing, figcaption { color: var(--muted); font-size: 0.86rem; line-height: 1.5; }
.missing { font-style: italic; }
.scroll { overflow-x: auto; margin: 16px 0 12px; }
table { border-collapse: collapse; width: 100%; font-size: 0.88rem; line-height: 1.35;
  font-variant-numeric: tabular-nums lining-nums; border-top: 1.5px solid var(--ink);
  border-bottom: 1.5px solid var(--ink); }
th { font-weight: 600; vertical-align: bottom; border-bottom: 1px solid var(--ink); }
th, td { padding: 6px 7px; text-align: left; }
.dense table { font-size: 0.8rem; }
th:first-child, td:first-child { padding-left: 6px; }
th.number, td.number { text-align: right; }
td.number, td:first-child { white-space: nowrap; }
.terms { display: block; color: var(--muted); font-size: 0.82em; }
td { border-top: 1px solid var(--hairline); vertical-align: top; }
tbody tr:first-child td { border-top: 0; }
tr.marked td { background: var(--mark); }
tr.marked td:first-child { font-weight: 600; }
.spread { display: inline-block; min-width: 4.9em; text-align: left; color: var(--muted); font-size: 0.82em;
  margin-left: 0.25em; }
.cause { color: var(--muted); font-size: 0.86rem; }
figure { margin: 18px 0 8px; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { max-width: 84ch; margin-top: 8px; }
dt { font-weight: 600; margin-top: 10px; }
dd { margin: 0; color: var(--muted); font-size: 0.9rem; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr));
  gap: 4px 24px; max-width: none; }
dl.facts div { min-width: 0; }
dl.facts dt { color: var(--muted); font-weight: 400; font-size: 0.82rem; margin-top: 6px; }
dl.facts dd { color: var(--ink); }
pre { background: var(--panel); border: 1px solid var(--hairline); border-radius: 6px; padding: 14px 16px;
  font: 0.86rem/1.5 var(--mono); overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
details summary { cursor: pointer; color: var(--muted); font-size: 0.9rem; margin-top: 12px; }
footer { margin-top: 64px; border-top: 1px solid var(--hairline); padding-top: 12px; }
@media (max-width: 640px) { main { padding: 28px 18px 64px; } h1 { font-size: 1.5rem; } }
@media print {
  :root { --paper: #fff; --panel: #fff; --ink: #000; --muted: #444; --hairline: #bbb; --mark: #f0f0f0; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  table { font-size: 7.5pt; } th, td { padding: 3px 4px; }
  figure, tr, pre { break-inside: avoid; }
  h2 { break-after: avoid; margin-top: 28px; }
}
"""
