/**
 * Colours and type of the report, for its page and for its charts alone, light and dark.
 *
 * @module
 */

/** Colours as variables, and how the parts of a chart wear them. */
export const PALETTE_CSS = `
:root{--paper:#fff;--page:#f6f5f1;--ink:#1d2421;--muted:#626b66;--line:#e3e1da;--accent:#1f6f54;--tint:#eaf3ee;
--c0:#1f6f54;--c1:#c2571a;--c2:#3b5bb5;--c3:#93408f;--c4:#8a6d00;--c5:#5b6770}
@media (prefers-color-scheme:dark){:root{--paper:#181c1b;--page:#101312;--ink:#e6e9e5;--muted:#9aa39e;--line:#2c3330;
--accent:#6cc7a2;--tint:#1b2a24;--c0:#6cc7a2;--c1:#f0985f;--c2:#8fa8f5;--c3:#d993d5;--c4:#d9bb52;--c5:#a9b4bb}}
svg text{font-family:system-ui,-apple-system,"Segoe UI",sans-serif;font-size:12px;fill:var(--ink)}
svg .title{font-size:15px;font-weight:600}svg .heading,svg .strong{font-weight:600}svg .strong{fill:var(--accent)}
svg .small{font-size:11px;fill:var(--muted)}svg .paper{fill:var(--paper)}
svg .grid{stroke:var(--line)}svg .level{stroke:var(--muted);stroke-width:1.5}
.m0{fill:var(--c0)}.m1{fill:var(--c1)}.m2{fill:var(--c2)}.m3{fill:var(--c3)}.m4{fill:var(--c4)}.m5{fill:var(--c5)}
`.trim();

export const PAGE_CSS = `
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:76rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.25rem;margin:2.5rem 0 .5rem}h3{font-size:1rem;margin:1.5rem 0 .4rem}
p{max-width:46rem;margin:.5rem 0}.muted,small{color:var(--muted)}
code,pre{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,monospace}
pre{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;overflow-x:auto}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:1rem}
.panels svg{display:block;width:100%;background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:.6rem}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;list-style:none;margin:.5rem 0 .8rem;padding:0;font-size:.9rem}
.legend svg{margin-right:.35rem;vertical-align:-2px}
.scroll{overflow-x:auto;background:var(--paper);border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.38rem .8rem;text-align:right;white-space:nowrap;border-top:1px solid var(--line)}
thead th{border-top:0;font-weight:600;color:var(--muted);font-size:.8rem}
th:first-child,td:first-child,.text{text-align:left}td.text{white-space:normal}td.text:last-child{min-width:14rem}
tr.us td{background:var(--tint)}tr.us td:first-child{color:var(--accent);font-weight:600}td.off{color:var(--muted);text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:12rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem;margin:.5rem 0}dt{color:var(--muted)}dd{margin:0}
@media (max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}th,td{padding:.34rem .45rem}table{font-size:.8rem}}
`.trim();

export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
