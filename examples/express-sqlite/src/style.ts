import { html } from './html.ts'

/** The page's style sheet. The page contains the style sheet, so the browser does not load another file. */
export const style = html`
  :root {
    color-scheme: light dark;
    --ground: light-dark(#f6f7f9, #14171c);
    --sheet: light-dark(#ffffff, #1c2027);
    --ink: light-dark(#1a1f29, #e8eaee);
    --quiet: light-dark(#566072, #a3adbd);
    --line: light-dark(#dde1e8, #333a46);
    --link: light-dark(#1d4fd8, #8fb0ff);
    --go: light-dark(#12663f, #74d6a5);
    --go-ground: light-dark(#e2f4ea, #17352a);
    --wait: light-dark(#7a4b00, #f0c071);
    --wait-ground: light-dark(#fdf0d8, #3b2d13);
    --gone: light-dark(#566072, #a3adbd);
    --gone-ground: light-dark(#eceef2, #2a3039);
  }
  * { box-sizing: border-box; }
  body {
    margin: 0;
    background: var(--ground);
    color: var(--ink);
    font: 1rem/1.5 system-ui, sans-serif;
  }
  main { max-width: 68rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
  header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1.5rem; margin-bottom: 1rem; }
  h1 { margin: 0; font-size: 1.75rem; }
  p { margin: 0; color: var(--quiet); }
  a { color: var(--link); }
  :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
  .empty, .table {
    border: 1px solid var(--line);
    border-radius: 0.5rem;
    background: var(--sheet);
  }
  .empty { padding: 2rem; }
  .table { overflow-x: auto; }
  table { width: 100%; border-collapse: collapse; }
  th, td { padding: 0.75rem 1rem; text-align: start; vertical-align: top; }
  tr + tr > *, thead + tbody > tr > * { border-block-start: 1px solid var(--line); }
  thead th { color: var(--quiet); font-size: 0.875rem; font-weight: 600; }
  tbody th { min-width: 16rem; font-weight: 400; }
  .name { display: block; font-weight: 600; overflow-wrap: anywhere; }
  .email { display: block; overflow-wrap: anywhere; }
  .ids, .none, time { color: var(--quiet); }
  .ids { font-size: 0.8125rem; }
  .ids code { display: inline-block; max-width: 100%; overflow-wrap: anywhere; }
  .deleted .name { color: var(--quiet); font-weight: 400; font-style: italic; }
  ul { margin: 0; padding: 0; list-style: none; }
  time { white-space: nowrap; font-variant-numeric: tabular-nums; }
  .state {
    padding: 0.125rem 0.625rem;
    border-radius: 1rem;
    background: var(--go-ground);
    color: var(--go);
    font-size: 0.875rem;
    font-weight: 600;
  }
  .deactivated .state { background: var(--wait-ground); color: var(--wait); }
  .deleted .state { background: var(--gone-ground); color: var(--gone); }

  /* On a narrow screen, each account is a card, so nobody has to scroll sideways to find a column. */
  @media (max-width: 54rem) {
    thead { display: none; }
    tbody tr { display: block; padding: 0.75rem 1rem; }
    tbody tr + tr { border-block-start: 1px solid var(--line); }
    thead + tbody > tr > * { display: block; min-width: 0; padding: 0; border: 0; }
    thead + tbody > tr > td { display: grid; grid-template-columns: 6rem minmax(0, 1fr); margin-block-start: 0.375rem; }
    td::before { content: attr(data-column); color: var(--quiet); }
    td > * { justify-self: start; overflow-wrap: anywhere; }
  }
`
