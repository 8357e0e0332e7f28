/** Styles of the round button. They are in the loader, so that the button shows before anything else is fetched. */
export const launcherStyle = `
:host{all:initial;position:fixed;inset-block-end:var(--_y,20px);inset-inline-end:var(--_x,20px);z-index:var(--_z,2147483000);
--accent:var(--carillon-accent,#2a55e0);--on-accent:var(--carillon-on-accent,#fff);
display:block;font:15px/1.4 var(--carillon-font,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans Arabic",sans-serif)}
:host([data-side=start]){inset-inline:var(--_x,20px) auto}
:host([data-side=right]){inset-inline:auto;left:auto;right:var(--_x,20px)}
:host([data-side=left]){inset-inline:auto;right:auto;left:var(--_x,20px)}
.launcher{all:unset;box-sizing:border-box;position:relative;display:grid;place-items:center;inline-size:60px;block-size:60px;
border-radius:50%;background:var(--accent);color:var(--on-accent);cursor:pointer;touch-action:manipulation;-webkit-tap-highlight-color:transparent;
box-shadow:0 1px 2px rgb(10 16 40/.16),0 8px 24px rgb(10 16 40/.24);transition:transform .18s cubic-bezier(.2,.8,.3,1.2),box-shadow .18s}
.launcher[hidden],.count[hidden]{display:none}
.launcher:hover{transform:translateY(-2px) scale(1.03);box-shadow:0 2px 4px rgb(10 16 40/.18),0 14px 32px rgb(10 16 40/.3)}
.launcher:active{transform:scale(.96)}
.launcher:focus-visible{outline:3px solid var(--accent);outline-offset:3px}
.launcher svg{grid-area:1/1;inline-size:28px;block-size:28px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round;
transition:transform .22s,opacity .16s}
.launcher .glyph-close,.launcher[aria-expanded=true] .glyph-open{opacity:0;transform:rotate(-40deg) scale(.6)}
.launcher[aria-expanded=true] .glyph-close{opacity:1;transform:none}
.count{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;box-sizing:border-box;min-inline-size:22px;block-size:22px;padding-inline:6px;
border-radius:11px;border:2px solid #fff;background:#d92d20;color:#fff;font:600 12px/18px system-ui,sans-serif;text-align:center}
@media (max-width:480px),(max-height:480px){.launcher[aria-expanded=true]{display:none}}
@media (prefers-reduced-motion:reduce){.launcher,.launcher svg{transition:none}}
@media (forced-colors:active){.launcher{border:2px solid ButtonText}.count{border-color:ButtonText}}
@media print{:host{display:none}}`;
