import{a as K}from"./chunk-2MZOG7MT.js";import{a as b,b as r,c as k,d as s,e as j,f as u,g as h,h as O,i as U,j as A,k as q,l as T,n as D,p as g}from"./chunk-2BIC24NH.js";import{a as z,b as C,c as P,d as S,e as M,f as I,h as B,i as y,j as V}from"./chunk-VRPIJ66P.js";var we=1e3,R=class{#t=[];#e="";#n=0;say(t,n){if(n){this.#e=t;return}let o=performance.now();o-this.#n>we&&(this.#t=[]),this.#n=o,this.#t.push(t)}view(){return r`<div class="hidden" aria-live="polite" aria-atomic="false">
				${this.#t.map(t=>r`<p dir="auto">${t}</p>`)}
			</div>
			<div class="hidden" aria-live="assertive">${this.#e}</div>`}};var E=class{atEnd=!0;#t;#e;#n="";#r;#o=0;#a=!1;#i=0;#s=new ResizeObserver(()=>this.#d());constructor(t){this.#t=t}before(){let t=this.#e;t?.isConnected&&(this.#o=t.scrollHeight-t.scrollTop)}after(){let t=this.#t.controller,n=this.#t.renderRoot.querySelector(".log")??void 0;if(n!==this.#e&&(this.#s.disconnect(),this.#e=n,this.#n="",n&&this.#s.observe(n)),!n||!t)return;let{rows:o=[],loading:a}=t.transcript??{},i=JSON.stringify(t.ref),l=o[0]?.key;i!==this.#n?(this.#n=i,this.#t.rovingKey=void 0,this.#l(n,!!a)):l!==this.#r&&this.#r!==void 0&&!this.atEnd?n.scrollTop=n.scrollHeight-this.#o:this.atEnd&&(n.scrollTop=n.scrollHeight),this.#r===void 0&&l!==void 0&&this.#l(n,!1),this.#r=l}moved=()=>{let t=this.#e;if(!t)return;let o=t.scrollHeight-t.scrollTop-t.clientHeight<48||this.atEnd&&t.scrollTop>=this.#i;this.#i=t.scrollTop,o!==this.atEnd&&(this.atEnd=o,this.#t.requestUpdate()),t.scrollTop<400&&this.#c()};toEnd(){let t=this.#e;if(!t)return;this.atEnd=!0;let n=matchMedia("(prefers-reduced-motion: reduce)").matches;t.scrollTo({top:t.scrollHeight,behavior:n?"instant":"smooth"}),this.#t.requestUpdate()}#l(t,n){let o=n?null:t.querySelector(".divider");t.scrollTop=o?o.offsetTop-64:t.scrollHeight,this.atEnd=t.scrollHeight-t.scrollTop-t.clientHeight<48}#d(){this.#e&&this.atEnd&&(this.#e.scrollTop=this.#e.scrollHeight)}async#c(){let t=this.#t.controller;this.#a||!t?.transcript?.more||t.transcript.loading||(this.#a=!0,await t.older(),this.#a=!1)}};var N=b`
	.strip {
		display: flex;
		align-items: center;
		gap: var(--s2);
		flex: none;
		padding: var(--s2) var(--s4);
		background: var(--bg-soft);
		color: var(--ink-soft);
		font-size: var(--t-note);
	}
	.strip .icon {
		inline-size: 18px;
		block-size: 18px;
	}
	.notice {
		display: flex;
		align-items: center;
		gap: var(--s2);
		flex: none;
		margin: var(--s2);
		padding-inline-start: var(--s4);
		border-radius: 14px;
		background: var(--bg-soft);
		font-size: var(--t-note);
		animation: rise 0.2s var(--ease);
	}
	.notice p {
		flex: 1;
		padding-block: var(--s2);
	}
	.notice.error {
		background: var(--danger-soft);
		color: var(--danger-ink);
	}
	.notice.error .plain {
		color: inherit;
	}
	.call-bar {
		display: flex;
		flex-direction: column;
		gap: var(--s2);
		flex: none;
		padding: var(--s3);
		border-block-end: 1px solid var(--line);
		background: var(--bg-soft);
	}
	.call-bar .row {
		gap: var(--s2);
	}
	.call-bar .wide {
		flex: none;
		background: var(--accent);
		color: var(--on-accent);
	}
	.call-bar .wide:hover {
		filter: brightness(1.08);
	}
	.back-to-call {
		flex: 1;
		min-inline-size: 0;
		gap: var(--s3);
		justify-content: flex-start;
		font-weight: inherit;
	}
	.floating,
	.rings {
		position: absolute;
		inset-block-end: 76px;
		inset-inline-end: 0;
		inline-size: min(360px, calc(100vw - 2 * var(--_x, 20px)));
	}
	.floating {
		display: grid;
		grid-template-columns: minmax(0, 1fr);
		gap: var(--s2);
	}
	.call-bar .detail {
		white-space: normal;
	}
	.floating > * {
		margin: 0;
		border: 0;
		border-radius: var(--radius);
		background: var(--bg);
		box-shadow: var(--shadow);
		animation: rise 0.24s var(--ease);
	}
	.rings {
		z-index: 3;
		display: grid;
		gap: var(--s2);
	}
	.ring {
		display: grid;
		gap: var(--s4);
		padding: var(--s4);
		border-radius: var(--radius);
		background: var(--bg);
		box-shadow: var(--shadow);
		animation: rise 0.28s var(--ease);
	}
	.rings ~ .floating {
		inset-block-end: 300px;
	}
	/* Over the panel it hangs from under the header, whose buttons stay usable. */
	.rings:has(~ .panel) {
		inset-block: auto calc(76px + min(600px, 100dvh - 76px - var(--_y, 20px) - 16px));
		inset-inline-end: var(--s2);
		inline-size: 364px;
		transform: translateY(calc(100% + 76px));
	}
	.rings:has(~ .panel) .ring {
		animation: drop 0.28s var(--ease);
	}
	.rings:has(~ .panel.in-call) {
		inset-block-end: calc(76px + min(720px, 100dvh - 76px - var(--_y, 20px) - 16px));
	}
	@keyframes drop {
		from {
			opacity: 0;
		}
	}
	.ring .name {
		font-size: var(--t-head);
	}
	.choices {
		display: grid;
		grid-template-columns: 1fr 1fr;
		gap: var(--s2);
	}
	.choices .first {
		grid-column: 1 / -1;
	}
	.choices .danger {
		order: 1;
	}
	.pulse {
		position: relative;
		display: inline-grid;
	}
	.pulse::before,
	.pulse::after {
		content: "";
		position: absolute;
		inset: 0;
		border-radius: 50%;
		border: 2px solid var(--online);
		animation: pulse 1.8s infinite cubic-bezier(0.2, 0.6, 0.4, 1);
	}
	.pulse::after {
		animation-delay: 0.6s;
	}
	@keyframes pulse {
		from {
			opacity: 0.9;
		}
		to {
			opacity: 0;
			transform: scale(1.55);
		}
	}
	.sound-blocked {
		position: absolute;
		z-index: 4;
		inset-block-end: 84px;
		inset-inline-end: 8px;
		display: grid;
		gap: var(--s3);
		inline-size: min(364px, calc(100vw - 32px));
		padding: var(--s4);
		border-radius: 16px;
		background: var(--bg);
		box-shadow: var(--shadow);
		font-size: var(--t-note);
	}
	.sound-blocked .wide {
		background: var(--accent);
		color: var(--on-accent);
	}
	@media (prefers-reduced-motion: reduce) {
		.pulse::before,
		.pulse::after {
			display: none;
		}
	}
	@media (max-width: 480px), (max-height: 480px) {
		.rings,
		.rings:has(~ .panel),
		.rings:has(~ .panel.in-call) {
			position: fixed;
			inset: max(var(--s2), env(safe-area-inset-top)) var(--s2) auto;
			inline-size: auto;
			transform: none;
		}
		.rings:has(~ .panel),
		.rings:has(~ .panel.in-call) {
			inset-block-start: calc(76px + env(safe-area-inset-top));
		}
		.floating {
			position: fixed;
			inset: auto var(--s2) 88px;
			inline-size: auto;
		}
	}
	@media (forced-colors: active) {
		.ring,
		.floating > *,
		.notice,
		.call-bar {
			border: 1px solid CanvasText;
		}
	}
`;var F=b`
	.stage {
		position: relative;
		flex: none;
		block-size: min(400px, 56%);
		overflow: hidden;
		background: radial-gradient(120% 90% at 50% 0%, #2b3856, #10141f 75%);
		color: #f5f7fc;
		outline: none;
		animation: appear 0.25s;
	}
	.stage:focus-visible {
		box-shadow: inset 0 0 0 3px var(--focus);
	}
	.stage.voice {
		block-size: min(300px, 46%);
	}
	.tiles {
		position: absolute;
		inset: 0;
		display: grid;
		grid-auto-flow: row;
		grid-template-columns: repeat(auto-fit, minmax(50%, 1fr));
	}
	.tile {
		position: relative;
		display: grid;
		place-items: center;
		overflow: hidden;
		padding-block-end: 26px;
	}
	.tile .avatar {
		box-shadow: 0 8px 32px rgb(0 0 0 / 0.35);
	}
	.tile.speaks .level .avatar {
		outline: 3px solid #3ecf8a;
		outline-offset: 4px;
	}
	.tile .remote {
		position: absolute;
		inset: 0;
		inline-size: 100%;
		block-size: 100%;
		object-fit: cover;
		animation: appear 0.3s;
	}
	.tile.away > * {
		filter: grayscale(0.7) brightness(0.55);
		transition: filter 0.3s;
	}
	@keyframes appear {
		from {
			opacity: 0;
		}
	}
	.muted {
		position: absolute;
		inset-block-start: var(--s3);
		inset-inline-end: var(--s3);
		display: grid;
		place-items: center;
		inline-size: 32px;
		block-size: 32px;
		border-radius: 50%;
		background: rgb(10 14 24 / 0.7);
	}
	.muted .icon {
		inline-size: 18px;
		block-size: 18px;
	}
	.caption {
		position: absolute;
		inset-block-start: 0;
		inset-inline: 0;
		display: flex;
		flex-wrap: wrap;
		align-items: baseline;
		gap: 0 var(--s2);
		padding: var(--s3) var(--s4) var(--s6);
		background: linear-gradient(rgb(8 11 20 / 0.72), transparent);
		font-size: var(--t-note);
		font-variant-numeric: tabular-nums;
		text-shadow: 0 1px 3px rgb(0 0 0 / 0.6);
	}
	.caption .name {
		max-inline-size: 70%;
		font-size: var(--t-text);
	}
	.weak {
		display: inline-flex;
		align-items: center;
		gap: 2px;
		color: #ffd479;
	}
	.weak .icon {
		inline-size: 16px;
		block-size: 16px;
	}
	.own {
		position: absolute;
		inset-block-end: 76px;
		inset-inline-end: var(--s3);
		inline-size: 28%;
		max-inline-size: 168px;
		aspect-ratio: 4 / 3;
		border-radius: 12px;
		object-fit: cover;
		background: #0b0e16;
		box-shadow: 0 0 0 1.5px rgb(255 255 255 / 0.35), 0 6px 20px rgb(0 0 0 / 0.5);
		transform: scaleX(-1);
		animation: appear 0.3s;
	}
	.controls {
		position: absolute;
		inset-block-end: 0;
		inset-inline: 0;
		display: flex;
		justify-content: center;
		gap: var(--s2);
		padding: var(--s5) var(--s3) var(--s3);
		background: linear-gradient(transparent, rgb(8 11 20 / 0.78));
	}
	.control {
		min-inline-size: 48px;
		min-block-size: 48px;
		border-radius: 24px;
		background: rgb(52 60 82 / 0.82);
		color: #fff;
	}
	.control:hover {
		background: rgb(78 88 114 / 0.92);
	}
	.control:focus-visible {
		outline-color: #fff;
	}
	.control.off,
	.control.on {
		background: #fff;
		color: #131826;
	}
	.control.danger {
		background: var(--danger);
	}
	.control.danger.filled {
		margin-inline-start: var(--s1);
		min-inline-size: 56px;
	}
	.problem {
		font-size: var(--t-note);
	}
	.stage .problem {
		position: absolute;
		inset-block-end: 76px;
		inset-inline: var(--s3) calc(28% + var(--s5));
		padding: var(--s2) var(--s3);
		border-radius: 12px;
		background: rgb(120 16 22 / 0.9);
	}
	.stage.voice .problem {
		inset-inline-end: var(--s3);
	}

	.devices {
		position: absolute;
		z-index: 3;
		inset-block-start: 68px;
		inset-inline: 0;
		display: grid;
		gap: var(--s3);
		grid-auto-rows: max-content;
		align-content: start;
		max-block-size: calc(100% - 68px);
		padding: var(--s4);
		overflow-y: auto;
		border-block-end: 1px solid var(--line);
		border-end-start-radius: var(--radius);
		border-end-end-radius: var(--radius);
		background: var(--bg);
		box-shadow: 0 16px 32px rgb(13 20 45 / 0.18);
		animation: fold 0.2s var(--ease);
	}
	@keyframes fold {
		from {
			opacity: 0;
			transform: translateY(-8px);
		}
	}
	.mirror {
		display: grid;
		place-items: center;
		aspect-ratio: 2 / 1;
		overflow: hidden;
		border-radius: 14px;
		background: #10141f;
		color: #c9d2e6;
		font-size: var(--t-note);
	}
	.mirror video {
		inline-size: 100%;
		block-size: 100%;
		object-fit: cover;
		transform: scaleX(-1);
	}
	.mirror span {
		display: grid;
		justify-items: center;
		gap: var(--s2);
	}
	.meter {
		display: flex;
		align-items: center;
		gap: var(--s2);
		color: var(--ink-soft);
	}
	.meter span {
		display: flex;
		flex: 1;
		gap: 3px;
	}
	.meter i {
		flex: 1;
		block-size: 8px;
		border-radius: 4px;
		background: var(--bg-press);
	}
	.meter i.lit {
		background: var(--online);
	}
	.devices .problem {
		padding: var(--s2) var(--s3);
		border-radius: 12px;
		background: var(--danger-soft);
		color: var(--danger-ink);
	}
	.choice {
		display: grid;
		gap: var(--s1);
		color: var(--ink-soft);
		font-size: var(--t-small);
		font-weight: 600;
	}
	select {
		inline-size: 100%;
		min-block-size: 44px;
		padding-inline: var(--s3);
		border: 1px solid var(--line);
		border-radius: 12px;
		background: var(--bg-soft);
		color: var(--ink);
		font: inherit;
		font-size: var(--t-note);
		font-weight: 500;
		text-overflow: ellipsis;
	}

	@media (min-width: 900px) and (min-height: 560px) {
		.panel.large {
			display: grid;
			grid-template: auto auto minmax(0, 1fr) / minmax(0, 1fr) 340px;
			inline-size: min(1040px, calc(100vw - 2 * var(--_x, 20px)));
			block-size: min(720px, calc(100dvh - 76px - var(--_y, 20px) - 16px));
		}
		.large > .header,
		.large > .strip {
			grid-column: 1 / -1;
		}
		.large > .stage {
			grid-area: 3 / 1;
			block-size: 100%;
			animation: none;
		}
		.large > .body {
			grid-area: 3 / 2;
			border-inline-start: 1px solid var(--line);
		}
		.large > .call-bar {
			grid-area: 2 / 1 / 3 / -1;
		}
		.large .devices {
			inset-inline: 0 auto;
			inline-size: 360px;
		}
	}
	@media (max-width: 899px), (max-height: 559px) {
		.only-wide {
			display: none;
		}
	}
	@media (max-width: 480px), (max-height: 480px) {
		.stage {
			block-size: 58%;
		}
	}
	@media (forced-colors: active) {
		.control,
		.own {
			border: 1px solid ButtonText;
		}
	}
`;var Y=b`
	.icon {
		flex: none;
		inline-size: 22px;
		block-size: 22px;
		fill: none;
		stroke: currentColor;
		stroke-width: 1.7;
		stroke-linecap: round;
		stroke-linejoin: round;
	}
	.icon.filled {
		fill: currentColor;
		stroke-width: 1;
	}
	.icon.big {
		inline-size: 44px;
		block-size: 44px;
		stroke-width: 1.3;
	}
	:host(:dir(rtl)) .mirrored {
		transform: scaleX(-1);
	}
	.turned {
		transform: rotate(180deg);
	}
	.button {
		all: unset;
		box-sizing: border-box;
		display: inline-flex;
		align-items: center;
		justify-content: center;
		gap: var(--s2);
		position: relative;
		flex: none;
		min-inline-size: 44px;
		min-block-size: 44px;
		border-radius: 22px;
		color: inherit;
		font-size: var(--t-text);
		font-weight: 600;
		text-align: center;
		cursor: pointer;
		touch-action: manipulation;
		transition: background-color 0.15s, color 0.15s, transform 0.15s var(--ease), opacity 0.15s;
	}
	.button:active {
		transform: scale(0.96);
	}
	.button:focus-visible,
	.conversation:focus-visible,
	a:focus-visible,
	select:focus-visible {
		outline: 2px solid var(--focus);
		outline-offset: 2px;
	}
	.plain {
		color: var(--ink-soft);
	}
	.plain:hover {
		background: var(--bg-press);
		color: var(--ink);
	}
	.plain.off {
		color: var(--danger-ink);
		background: var(--danger-soft);
	}
	.wide {
		flex: 1 1 0;
		padding-inline: var(--s4);
		border-radius: 14px;
		min-block-size: 46px;
	}
	.text {
		padding-inline: var(--s3);
		color: var(--link);
		font-size: var(--t-note);
	}
	.text:hover {
		background: var(--bg-press);
	}
	.go {
		background: var(--go);
		color: #fff;
	}
	.danger {
		background: var(--danger);
		color: #fff;
	}
	.soft {
		background: var(--soft);
		color: var(--soft-ink);
	}
	.go:hover,
	.danger:hover,
	.soft:hover {
		filter: brightness(1.08);
	}
	.badge {
		display: inline-block;
		min-inline-size: 20px;
		padding-inline: 6px;
		border-radius: 10px;
		background: var(--accent);
		color: var(--on-accent);
		font-size: var(--t-small);
		font-weight: 650;
		line-height: 20px;
		text-align: center;
		font-variant-numeric: tabular-nums;
	}
	.avatar {
		position: relative;
		flex: none;
		display: inline-grid;
		place-items: center;
		inline-size: 40px;
		block-size: 40px;
		border-radius: 50%;
		font-weight: 650;
		font-size: var(--t-text);
		letter-spacing: 0.01em;
		user-select: none;
	}
	.avatar.small {
		inline-size: 36px;
		block-size: 36px;
		font-size: var(--t-note);
	}
	.avatar.huge {
		inline-size: 88px;
		block-size: 88px;
		font-size: 2rem;
		font-weight: 600;
	}
	.avatar img {
		inline-size: 100%;
		block-size: 100%;
		border-radius: 50%;
		object-fit: cover;
	}
	.hue0 { background: #dfe7ff; color: #2743a5; }
	.hue1 { background: #d7f1e4; color: #14603f; }
	.hue2 { background: #fde6d4; color: #8a3f0a; }
	.hue3 { background: #f3e0fa; color: #74268e; }
	.hue4 { background: #d6eef6; color: #0d566f; }
	.hue5 { background: #fbe0e6; color: #97233f; }
	.avatar::after {
		content: "";
		display: none;
		position: absolute;
		inset-block-end: -1px;
		inset-inline-end: -1px;
		inline-size: 13px;
		block-size: 13px;
		border: 2.5px solid var(--bg);
		border-radius: 50%;
		background: var(--online);
	}
	.avatar[data-state="online"]::after,
	.avatar[data-state="away"]::after {
		display: block;
	}
	.avatar[data-state="away"]::after {
		background: var(--away);
	}
	.summary {
		display: flex;
		flex-direction: column;
		flex: 1;
		min-inline-size: 0;
		text-align: start;
	}
	.name {
		font-weight: 620;
		overflow: hidden;
		text-overflow: ellipsis;
		white-space: nowrap;
	}
	.detail,
	.preview {
		color: var(--ink-soft);
		font-size: var(--t-note);
		overflow: hidden;
		text-overflow: ellipsis;
		white-space: nowrap;
		font-variant-numeric: tabular-nums;
	}
	.row {
		display: flex;
		align-items: center;
		gap: var(--s3);
	}
	@media (forced-colors: active) {
		.button,
		.bubble,
		.avatar,
		.badge {
			border: 1px solid ButtonText;
		}
		.button:focus-visible {
			outline-color: Highlight;
		}
	}
`;var W=b`
	.panel {
		position: absolute;
		inset-block-end: 76px;
		inset-inline-end: 0;
		display: flex;
		flex-direction: column;
		inline-size: 380px;
		block-size: min(600px, calc(100dvh - 76px - var(--_y, 20px) - 16px));
		overflow: hidden;
		border-radius: var(--radius);
		background: var(--bg);
		box-shadow: var(--shadow);
		outline: none;
		animation: rise 0.24s var(--ease);
		transition: inline-size 0.24s var(--ease), block-size 0.24s var(--ease);
	}
	:host([data-side="start"]) .panel,
	:host([data-side="start"]) .rings,
	:host([data-side="start"]) .floating {
		inset-inline: 0 auto;
	}
	:host([data-side="left"]) :is(.panel, .rings, .floating) {
		inset-inline: auto;
		left: 0;
	}
	:host([data-side="right"]) :is(.panel, .rings, .floating) {
		inset-inline: auto;
		right: 0;
	}
	.launcher[hidden] ~ .panel,
	.panel:has(~ .launcher[hidden]) {
		inset-block-end: 0;
	}
	.panel.in-call {
		block-size: min(720px, calc(100dvh - 76px - var(--_y, 20px) - 16px));
	}
	@keyframes rise {
		from {
			opacity: 0;
			transform: translateY(12px) scale(0.985);
		}
	}
	.header {
		position: relative;
		z-index: 2;
		display: flex;
		align-items: center;
		gap: var(--s2);
		flex: none;
		min-block-size: 68px;
		padding: var(--s3) var(--s2);
		border-block-end: 1px solid var(--line);
		background: var(--bg);
	}
	.header .back {
		margin-inline-end: -6px;
	}
	.header .back .badge {
		position: absolute;
		inset-block-start: 1px;
		inset-inline-end: -2px;
		border: 2px solid var(--bg);
		line-height: 18px;
	}
	.who {
		flex: 1;
		min-inline-size: 0;
		padding-inline-start: var(--s1);
	}
	.who.start {
		padding-inline-start: var(--s3);
	}
	h2 {
		font-size: var(--t-head);
		font-weight: 650;
		line-height: 1.3;
		letter-spacing: -0.01em;
		overflow: hidden;
		text-overflow: ellipsis;
		white-space: nowrap;
		text-align: start;
	}
	.presence {
		color: var(--ink-soft);
		font-size: var(--t-note);
		line-height: 1.35;
		min-block-size: 1.35em;
		overflow: hidden;
		text-overflow: ellipsis;
		white-space: nowrap;
	}
	.accented {
		color: var(--link);
	}
	.call-buttons {
		display: flex;
	}
	.call-buttons .plain {
		color: var(--link);
	}
	.narrow {
		margin-inline-start: -4px;
	}
	.narrow .icon {
		inline-size: 16px;
		block-size: 16px;
		transition: transform 0.2s var(--ease);
	}
	.no-calls {
		max-inline-size: 92px;
		padding-inline-end: var(--s2);
		color: var(--ink-soft);
		font-size: var(--t-small);
		line-height: 1.3;
		text-align: end;
	}
	.only-phone:not(.always) {
		display: none;
	}
	.body {
		position: relative;
		display: flex;
		flex-direction: column;
		flex: 1;
		min-block-size: 0;
	}

	.list {
		flex: 1;
		overflow-y: auto;
		overscroll-behavior: contain;
		padding: var(--s2);
	}
	.list ul {
		list-style: none;
		padding: 0;
	}
	.conversation {
		all: unset;
		box-sizing: border-box;
		display: flex;
		align-items: center;
		gap: var(--s3);
		inline-size: 100%;
		padding: var(--s3) var(--s3);
		border-radius: 14px;
		cursor: pointer;
	}
	.conversation:hover {
		background: var(--bg-soft);
	}
	.conversation .preview {
		margin-block-start: 2px;
	}
	.conversation.unread :is(.name, .preview) {
		color: var(--ink);
		font-weight: 650;
	}
	.conversation.unread .preview {
		font-weight: 550;
	}
	.aside {
		display: flex;
		flex-direction: column;
		align-items: flex-end;
		align-self: stretch;
		gap: var(--s1);
		color: var(--ink-soft);
		font-size: var(--t-small);
	}
	.empty {
		display: grid;
		justify-items: center;
		gap: var(--s1);
		padding: 96px var(--s6) 0;
		color: var(--ink-soft);
		font-size: var(--t-note);
		text-align: center;
	}
	.lead {
		color: var(--ink);
		font-size: var(--t-head);
		font-weight: 620;
	}
	.hint {
		display: flex;
		justify-content: space-between;
		margin-block-end: var(--s2);
		border-radius: 14px;
		background: var(--bg-soft);
	}

	.composer {
		display: flex;
		align-items: flex-end;
		gap: var(--s2);
		flex: none;
		padding: var(--s2) var(--s3) var(--s3);
		padding-block-end: max(var(--s3), env(safe-area-inset-bottom));
		background: var(--bg);
	}
	textarea {
		all: unset;
		box-sizing: border-box;
		flex: 1;
		min-inline-size: 0;
		min-block-size: 44px;
		max-block-size: 144px;
		padding: 10px var(--s4);
		border: 1px solid var(--line);
		border-radius: 22px;
		background: var(--bg-soft);
		color: var(--ink);
		font-size: var(--t-text);
		line-height: 1.45;
		overflow-y: auto;
		overflow-wrap: anywhere;
		white-space: pre-wrap;
		cursor: text;
		transition: border-color 0.15s, background-color 0.15s, box-shadow 0.15s;
	}
	textarea::placeholder {
		color: var(--ink-soft);
		opacity: 1;
	}
	textarea:focus {
		border-color: var(--focus);
		background: var(--bg);
		box-shadow: 0 0 0 1px var(--focus);
	}
	.send {
		background: var(--accent);
		color: var(--on-accent);
	}
	.send .icon {
		inline-size: 20px;
		block-size: 20px;
	}
	.send[aria-disabled="true"] {
		background: var(--bg-soft);
		color: var(--ink-soft);
	}

	@media (max-width: 480px), (max-height: 480px) {
		.panel,
		.panel.in-call {
			position: fixed;
			inset: 0;
			inline-size: auto;
			block-size: auto;
			border-radius: 0;
			box-shadow: none;
		}
		.header {
			padding-block-start: max(var(--s3), env(safe-area-inset-top));
		}
		.only-phone {
			display: inline-flex !important;
		}
		textarea {
			font-size: 16px; /* smaller makes iOS zoom in */
		}
		.no-calls {
			max-inline-size: 72px;
		}
	}
	@media (forced-colors: active) {
		.panel {
			border: 1px solid CanvasText;
		}
		textarea {
			border-color: ButtonText;
		}
	}
`;var X=b`
	:host {
		--bg: #fff;
		--bg-soft: #f4f6fa;
		--bg-press: #e9edf5;
		--bubble: #eff2f8;
		--ink: #131826;
		--ink-soft: #566077;
		--line: #e3e8f1;
		--link: var(--carillon-accent, #2a55e0);
		--danger: #c8232c;
		--danger-soft: #fdecec;
		--danger-ink: #a3141d;
		--go: #137a4b;
		--soft: #e8eefc;
		--soft-ink: #1d3fae;
		--online: #1fa463;
		--away: #e0a100;
		--focus: #2a55e0;
		--shadow: 0 0 0 1px rgb(13 20 45 / 0.06), 0 4px 10px rgb(13 20 45 / 0.06), 0 18px 48px rgb(13 20 45 / 0.2);

		--s1: 4px;
		--s2: 8px;
		--s3: 12px;
		--s4: 16px;
		--s5: 24px;
		--s6: 32px;

		--t-small: 0.75rem;
		--t-note: 0.8125rem;
		--t-text: 0.9375rem;
		--t-head: 1.0625rem;
		--t-big: 1.375rem;

		--radius: var(--carillon-radius, 20px);
		--ease: cubic-bezier(0.2, 0.8, 0.2, 1);
		color: var(--ink);
		color-scheme: light;
		font-size: 15px;
		text-align: start;
		-webkit-text-size-adjust: 100%;
	}
	:host([data-mode="dark"]) {
		--accent: var(--carillon-accent, #3b62ea);
		--bg: #171a23;
		--bg-soft: #1f2430;
		--bg-press: #2a3040;
		--bubble: #272d3b;
		--ink: #f0f3fa;
		--ink-soft: #a6b0c6;
		--line: #2b3242;
		--link: #9db4ff;
		--danger: #d5333c;
		--danger-soft: #3a1e24;
		--danger-ink: #ffb3b5;
		--soft: #26314f;
		--soft-ink: #b9caff;
		--online: #3ecf8a;
		--focus: #9db4ff;
		--shadow: 0 0 0 1px rgb(255 255 255 / 0.08), 0 18px 56px rgb(0 0 0 / 0.6);
		color-scheme: dark;
	}
	* {
		box-sizing: border-box;
		margin: 0;
		-webkit-tap-highlight-color: transparent;
	}
	[hidden] {
		display: none !important;
	}
	.hidden {
		position: absolute;
		inline-size: 1px;
		block-size: 1px;
		overflow: hidden;
		clip-path: inset(50%);
		white-space: nowrap;
	}
	@media (prefers-contrast: more) {
		:host {
			--line: currentColor;
			--ink-soft: var(--ink);
		}
	}
	@media (prefers-reduced-motion: reduce) {
		* {
			animation: none !important;
			transition: none !important;
		}
	}
`;var J=b`
	.log {
		position: relative;
		display: flex;
		flex-direction: column;
		flex: 1;
		min-block-size: 0;
		padding: var(--s3) var(--s3) var(--s1);
		overflow-y: auto;
		overflow-anchor: none;
		overscroll-behavior: contain;
		outline-offset: -3px;
		scrollbar-width: thin;
		scrollbar-color: var(--line) transparent;
	}
	.log:focus-visible {
		outline: 2px solid var(--focus);
	}
	.spacer {
		flex: 1 1 0;
	}
	.day,
	.divider {
		display: flex;
		align-items: center;
		justify-content: center;
		gap: var(--s3);
		margin-block: var(--s4) var(--s2);
		color: var(--ink-soft);
		font-size: var(--t-small);
		font-weight: 550;
	}
	.divider {
		color: var(--danger-ink);
	}
	.divider::before,
	.divider::after {
		content: "";
		flex: 1;
		border-block-start: 1px solid color-mix(in srgb, currentColor 35%, transparent);
	}
	.line {
		display: flex;
		flex-direction: column;
		align-items: flex-start;
		flex: none;
		margin-block-start: 2px;
		border-radius: 18px;
		outline: none;
	}
	.line.first {
		margin-block-start: var(--s3);
	}
	.line.mine {
		align-items: flex-end;
	}
	.line:focus-visible > :first-child {
		outline: 2px solid var(--focus);
		outline-offset: 2px;
	}
	.bubble {
		max-inline-size: 82%;
		padding: 8px 12px;
		border-radius: 18px;
		background: var(--bubble);
		color: var(--ink);
		overflow-wrap: anywhere;
		animation: pop 0.18s var(--ease);
	}
	@keyframes pop {
		from {
			opacity: 0;
			transform: translateY(4px);
		}
	}
	.mine .bubble {
		background: var(--accent);
		color: var(--on-accent);
	}
	.theirs:not(.first) .bubble {
		border-start-start-radius: 6px;
	}
	.theirs:not(.last) .bubble {
		border-end-start-radius: 6px;
	}
	.mine:not(.first) .bubble {
		border-start-end-radius: 6px;
	}
	.mine:not(.last) .bubble {
		border-end-end-radius: 6px;
	}
	.sender {
		display: block;
		margin-block-end: 2px;
		color: var(--link);
		font-size: var(--t-small);
		font-weight: 650;
	}
	.text[dir] {
		white-space: pre-wrap;
		unicode-bidi: plaintext;
		padding: 0;
		font-size: var(--t-text);
		color: inherit;
	}
	.text a {
		color: inherit;
		text-decoration: underline;
		text-underline-offset: 2px;
	}
	.theirs .text a {
		color: var(--link);
	}
	.meta {
		display: inline-flex;
		align-items: center;
		gap: 3px;
		float: inline-end;
		margin-block: 6px -3px;
		margin-inline: 10px -3px;
		color: var(--ink-soft);
		font-size: 0.6875rem;
		line-height: 1.4;
		font-variant-numeric: tabular-nums;
		white-space: nowrap;
		user-select: none;
	}
	.mine .meta {
		color: var(--on-accent);
	}
	.tick {
		display: inline-flex;
	}
	.tick .icon {
		inline-size: 16px;
		block-size: 14px;
		stroke-width: 2.2;
	}
	.tick.read {
		color: #a8ffd9;
	}
	.bubble.emoji {
		padding: 0;
		background: none !important;
		color: inherit;
	}
	.bubble.emoji .text {
		font-size: 2.5rem;
		line-height: 1.2;
	}
	.bubble.emoji .meta,
	.bubble.emoji .tick {
		color: var(--ink-soft);
	}
	.queued .bubble,
	.sending .bubble,
	.unconfirmed .bubble {
		opacity: 0.86;
	}
	.failed .bubble {
		background: var(--danger-soft);
		color: var(--danger-ink);
		box-shadow: inset 0 0 0 1px color-mix(in srgb, var(--danger-ink) 40%, transparent);
	}
	.failed .bubble .meta {
		color: var(--danger-ink);
	}
	.failed-bar {
		display: flex;
		flex-wrap: wrap;
		align-items: center;
		justify-content: flex-end;
		color: var(--danger-ink);
		font-size: var(--t-small);
	}
	.dots {
		display: flex;
		gap: 4px;
		padding: 14px;
	}
	.dots i {
		inline-size: 7px;
		block-size: 7px;
		border-radius: 50%;
		background: var(--ink-soft);
		animation: dot 1.2s infinite;
	}
	.dots i:nth-child(2) {
		animation-delay: 0.15s;
	}
	.dots i:nth-child(3) {
		animation-delay: 0.3s;
	}
	@keyframes dot {
		0%,
		60%,
		100% {
			opacity: 0.35;
		}
		30% {
			opacity: 1;
			transform: translateY(-3px);
		}
	}
	.call-entry {
		display: flex;
		align-items: center;
		gap: var(--s3);
		max-inline-size: 92%;
		padding: var(--s2) var(--s3);
		border: 1px solid var(--line);
		border-radius: 18px;
	}
	.call-entry .name {
		font-size: var(--t-note);
	}
	.call-entry .detail {
		font-size: var(--t-small);
	}
	.disc {
		display: grid;
		place-items: center;
		inline-size: 36px;
		block-size: 36px;
		border-radius: 50%;
		background: var(--soft);
		color: var(--soft-ink);
	}
	.disc .icon {
		inline-size: 18px;
		block-size: 18px;
	}
	.missed .disc {
		background: var(--danger-soft);
		color: var(--danger-ink);
	}
	.missed .name {
		color: var(--danger-ink);
	}
	.beginning {
		display: grid;
		justify-items: center;
		gap: var(--s1);
		padding: var(--s4) var(--s5);
		color: var(--ink-soft);
		font-size: var(--t-note);
		text-align: center;
	}
	.beginning.empty {
		margin-block: auto;
		padding-block-end: 48px;
	}
	.beginning .avatar {
		margin-block-end: var(--s2);
	}
	.in-call .beginning {
		display: none;
	}
	.latest {
		position: absolute;
		inset-block-end: 76px;
		inset-inline-end: var(--s4);
		background: var(--bg);
		color: var(--ink-soft);
		box-shadow: 0 0 0 1px var(--line), 0 4px 14px rgb(13 20 45 / 0.18);
	}
	.skeleton {
		display: grid;
		gap: var(--s2);
		padding-block: var(--s3);
	}
	.skeleton i {
		block-size: 38px;
		inline-size: 55%;
		border-radius: 18px;
		background: var(--bubble);
		animation: breathe 1.4s infinite alternate;
	}
	.skeleton i.mine {
		justify-self: end;
		inline-size: 42%;
	}
	@keyframes breathe {
		to {
			opacity: 0.45;
		}
	}
`;var G=[X,Y,W,J,N,F];function Z(e){let t=$e(e);return t?r`<p class="strip" aria-live="polite">${u("cloud")} ${e.words.say(t)}</p>`:s}function $e({client:e}){if(!e)return;let{connection:t}=e;switch(t.state){case"stopped":return`stopped_${t.why}`;case"waiting":return navigator.onLine?t.code>=4500?void 0:"serverAway":"offlineBar";case"connecting":return t.attempt>1?navigator.onLine?"serverAway":"offlineBar":void 0;case"catching_up":return t.attempt>1?"catchingUp":void 0;default:return}}function L(e){let{notice:t}=e.state;return t?r`<div class="notice ${t.kind}">
		<p role=${t.kind==="error"?"alert":"status"}>${t.text}</p>
		<button class="button plain" aria-label=${e.words.say("dismiss")} @click=${()=>e.change({type:"dismiss",notice:t})}>${u("close")}</button>
	</div>`:s}function H(e,t){return t.kind==="elsewhere"?ze(e,t.view):t.kind==="here"?r`${Q(e,t.view,e.words.say("hangUp"))} ${t.held.map(n=>Q(e,n,e.words.say("endCallWith",{name:w(n)})))}`:s}function ee(e){let t=H(e,e.calling.screen);return t===s&&!e.state.notice?s:r`<section class="floating" aria-label=${e.words.say("callRegion")}>${L(e)} ${t}</section>`}function ze(e,t){let{words:n,calling:o}=e,a=performance.now(),i=V(t,a,n),l=t.activeSince===void 0?"":z(a-t.activeSince),d=t.where&&!t.sameDevice?n.say("onDevice",{device:t.where.device_name}):n.say("inOtherTab"),f=()=>o.do(o.moveHere(t));return r`<div class="call-bar" role="group" aria-label=${w(t)}>
		<div class="row">
			${g(oe(t),"small")}
			<span class="summary">
				<span class="name"><bdi>${w(t)}</bdi>${l&&i!==l?r` <span class="clock">${l}</span>`:s}</span>
				<span class="detail"><span role="status" aria-live=${y(t)&&i===l?"off":"polite"}>${i}</span>${l&&i!==l?s:r` · ${d}`}</span>
			</span>
			${te(e,t)} ${ne(e,t)}
		</div>
		<button class="button wide" @click=${f}>${u("moveHere","mirrored")} ${n.say("moveHere")}</button>
	</div>`}function Q(e,t,n){let o=()=>{e.open({focus:!1}),e.showConversation({conversation:t.call.conversation})};return r`<div class="call-bar live" role="group" aria-label=${w(t)}>
		<div class="row">
			<button class="button back-to-call" aria-label=${e.words.say("backToCall")} @click=${o}>
				${g(oe(t),"small")}
				<span class="summary"><span class="name"><bdi>${w(t)}</bdi></span></span>
			</button>
			<span class="detail" role="status" aria-live=${y(t)?"off":"polite"}>${B(t,performance.now(),e.words)}</span>
			${t.phase==="held"?Ce(e,t):te(e,t)} ${ne(e,t,n)}
		</div>
	</div>`}function Ce(e,t){return r`<button class="button text" @click=${()=>e.calling.do(e.client?.calls.setHeld(t.id,!1))}>${e.words.say("resume")}</button>`}function te(e,t){if(t.phase==="calling"||t.phase==="ringing")return s;let n=t.me.microphone;return r`<button
		class="button plain ${n?"":"off"}"
		aria-label=${e.words.say(n?"mute":"unmute")}
		@click=${()=>e.calling.do(e.client?.calls.setMicrophone(t.id,!n))}
	>
		${u(n?"mic":"micOff")}
	</button>`}function ne(e,t,n=e.words.say("hangUp")){return r`<button class="button danger" aria-label=${n} @click=${()=>e.calling.hangUp(t.id)}>
		${u("hangUp","filled")}
	</button>`}function w(e){return e.others.map(t=>t.name||t.user).join(", ")}function oe(e){let t=e.others[0];return{id:t?.user??"",name:t?.name||t?.user||""}}var ie=O(class extends U{constructor(e){if(super(e),e.type!==h.PROPERTY&&e.type!==h.ATTRIBUTE&&e.type!==h.BOOLEAN_ATTRIBUTE)throw Error("The `live` directive is not allowed on child or event bindings");if(!A(e))throw Error("`live` bindings can only contain a single expression")}render(e){return e}update(e,[t]){if(t===k||t===s)return t;let n=e.element,o=e.name;if(e.type===h.PROPERTY){if(t===n[o])return k}else if(e.type===h.BOOLEAN_ATTRIBUTE){if(!!t===n.hasAttribute(o))return k}else if(e.type===h.ATTRIBUTE&&n.getAttribute(o)===t+"")return k;return q(e),t}});function se(e,t){let{ref:n,words:o}=e,a=n?e.drafts.get(n):"",i=()=>t.renderRoot.querySelector(".composer textarea"),l=()=>{let c=re(e).trim();if(!c)return;let m=e.client?.limits?.message_bytes??Number.POSITIVE_INFINITY;if(new TextEncoder().encode(c).length>m){e.notify({kind:"error",text:o.say("tooLong")});return}t.place.atEnd=!0,e.send(c),e.typing(!1),t.updateComplete.then(()=>ae(i()))},d=c=>{let m=c.target,p=re(e);n&&e.drafts.set(n,m.value),ae(m),e.typing(m.value!==""),p.trim()===""!=(m.value.trim()==="")&&e.changed()},f=c=>{c.key!=="Enter"||c.shiftKey||c.isComposing||(c.preventDefault(),l())};return r`<form
		class="composer"
		@submit=${c=>{c.preventDefault(),l(),i()?.focus()}}
	>
		<textarea
			rows="1"
			dir=${a?"auto":s}
			enterkeyhint="send"
			autocomplete="off"
			aria-label=${o.say("message")}
			placeholder=${o.say("placeholder")}
			.value=${ie(a)}
			@input=${d}
			@keydown=${f}
		></textarea>
		<button class="button send" aria-label=${o.say("send")} aria-disabled=${a.trim()===""?"true":"false"}>
			${u("send","mirrored")}
		</button>
	</form>`}function re(e){return e.ref?e.drafts.get(e.ref):""}function ae(e){e&&(e.style.blockSize="auto",e.style.blockSize=`${e.scrollHeight+2}px`)}function le(e){let{words:t}=e,n=e.people.face(e.ref),o=e.people.presence(n);return r`<div class="header">
		${Te(e)} ${g(n,"medium",o?.state)}
		<div class="who">
			<h2 id="title"><bdi>${n.name}</bdi></h2>
			<p class="presence">${Ee(e)??Se(o,e)}</p>
		</div>
		${Re(e)} ${ce(e,t.say("closeChat"))}
	</div>`}function de(e){return r`<div class="header">
		<div class="who start"><h2 id="title">${e.words.say("conversations")}</h2></div>
		${ce(e,e.words.say("closeChat"))}
	</div>`}function ce(e,t){let n=()=>{e.close(),e.popup.button.focus()};return r`<button class="button plain only-phone ${e.options.launcher===!1?"always":""}" aria-label=${t} @click=${n}>
		${u("close")}
	</button>`}function Te(e){let t=e.transcript?.conversation?.unread??0,n=Math.max(0,e.getUnread()-t);return r`<button
		class="button plain back"
		aria-label=${e.words.say("conversations")}
		aria-describedby=${n>0?"elsewhere":s}
		@click=${()=>e.showList()}
	>
		${u("back","mirrored")}
		${n>0?r`<span class="badge" id="elsewhere" aria-label=${e.words.count("unread",n)}>${n>99?"99+":n}</span>`:s}
	</button>`}function Re(e){let{client:t,words:n,options:o,ref:a}=e,{audioCalls:i=!0,videoCalls:l=!0}=o.features??{};if(!t||!a||!i&&!l)return s;let{available:d}=t.calls;if(!d.ok)return r`<p class="no-calls">${n.say(d.reason==="calls_need_https"?"callsNeedHttps":"callsUnsupported")}</p>`;let{screen:f}=e.calling;if(f.kind==="here"||f.kind==="pending")return s;let c=()=>{e.panel(!0)},m=e.state.panel.kind==="open"&&e.state.panel.devices,p=(v,x)=>r`<button
		class="button plain"
		aria-label=${v}
		@pointerenter=${c}
		@focus=${c}
		@click=${()=>e.calling.start(a,x)}
	>
		${u(x==="video"?"video":"phone")}
	</button>`;return r`<div class="call-buttons">
		${i?p(n.say("voiceCall"),"audio"):s}
		${l?p(n.say("videoCall"),"video"):s}
		<button
			class="button plain narrow"
			aria-label=${n.say("deviceMenu")}
			aria-expanded=${m?"true":"false"}
			@pointerenter=${c}
			@focus=${c}
			@click=${()=>{e.panel(!0).then(()=>e.change({type:"devices"}))}}
		>
			${u("down",m?"turned":"")}
		</button>
	</div>`}function Ee(e){let{transcript:t,client:n,words:o}=e,a=t?.conversation,[i]=a?n?.messages.typists(a.id)??[]:[],l=a?.members.find(d=>d.id===i)?.name??i;return l?r`<span class="accented">${o.say("typing",{name:l})}</span>`:void 0}function Se(e,t){return e?e.state==="offline"&&e.last_seen?t.words.say("lastSeen",{when:I(e.last_seen,Date.now(),t.words)}):t.words.say(e.state):""}var Le=/\bhttps?:\/\/[^\s<>"']+|\bwww\.[^\s<>"']+\.[^\s<>"']+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b/gi;function ue(e){let t=[],n=0;for(let o of e.matchAll(Le)){let a=He(o[0]),i=_e(a);i&&(o.index>n&&t.push({text:e.slice(n,o.index)}),t.push({text:a,href:i}),n=o.index+a.length)}return n<e.length&&t.push({text:e.slice(n)}),t}function He(e){for(;;){let t=e.at(-1)??"",n={")":"(","]":"[","}":"{"}[t];if(!(n?pe(e,t)>pe(e,n):/[.,:;!?…]/.test(t)))return e;e=e.slice(0,-1)}}function pe(e,t){return e.split(t).length-1}function _e(e){let t=/^https?:/i.test(e)?e:e.includes("@")&&!/^www\./i.test(e)?`mailto:${e}`:`https://${e}`;return URL.canParse(t)?new URL(t).href:void 0}function fe(e){return new RegExp("^(?:\\p{Extended_Pictographic}(?:️|[\\u{1F3FB}-\\u{1F3FF}]|‍\\p{Extended_Pictographic})*\\s?){1,3}$","u").test(e.trim())}function me(e,t,n){switch(t.kind){case"day":return r`<p class="day"><span>${P(t.at,Date.now(),e.words)}</span></p>`;case"unread":return r`<p class="divider"><span>${e.words.say("newMessages")}</span></p>`;case"notice":return r`<p class="day" dir="auto">${t.row.message.text}</p>`;case"call":return Ve(e,t.row.message,t.mine,n,t.key);case"bubble":return Pe(e,t,n)}}function Pe(e,t,n){let{row:o,mine:a,first:i,last:l}=t,d=o.message.text??"",f=fe(d),c=!a&&i&&e.transcript?.conversation?.kind==="group",m=e.people.nameIn(o.message);return r`<div
		class="line ${a?"mine":"theirs"} ${i?"first":""} ${l?"last":""} ${o.delivery}"
		data-key=${t.key}
		tabindex=${n?"0":"-1"}
		role="article"
		aria-label=${`${a?e.words.say("you"):m}: ${d}`}
	>
		<div class="bubble ${f?"emoji":""}">
			${c?r`<span class="sender" dir="auto">${m}</span>`:s}
			<span class="text" dir="auto">${ue(d).map(({text:p,href:v})=>v?r`<a href=${v} target="_blank" rel="noopener noreferrer nofollow ugc">${p}</a>`:p)}</span><span class="meta"><time datetime=${new Date(o.message.sent_at).toISOString()}>${S(o.message.sent_at,e.words)}</time>${Ie(o,e.words)}</span>
		</div>
		${o.delivery==="failed"?Be(e,o):s}
	</div>`}var Me={queued:["clock","queued"],sending:["clock","sending"],unconfirmed:["clock","unconfirmed"],sent:["check","sent"],delivered:["checks","delivered"],read:["checks","read"],failed:["alert","failed"]};function Ie({delivery:e},t){if(e==="received")return s;let[n,o]=Me[e],a=t.say(o);return r`<span class="tick ${e}" role="img" aria-label=${a} title=${a}>${u(n)}</span>`}function Be(e,t){return r`<div class="failed-bar">
		<span>${t.refused?.message??e.words.say("failed")}</span>
		<button class="button text" @click=${()=>e.client?.messages.resend(t.key)}>${e.words.say("tryAgain")}</button>
		<button class="button text" @click=${()=>e.client?.messages.discard(t.key)}>${e.words.say("discard")}</button>
	</div>`}function Ve(e,t,n,o,a){let{title:i,detail:l,missed:d,over:f,video:c}=_(t,n,e.words),{ref:m}=e,p=e.calling.screen.kind==="none";return r`<div class="line ${n?"mine":"theirs"} first last" data-key=${a} tabindex=${o?"0":"-1"} role="article" aria-label=${`${i} ${l}`}>
		<div class="call-entry ${d?"missed":""}">
			<span class="disc">${u(c?"video":"phone")}</span>
			<span class="summary">
				<span class="name">${i}</span>
				<span class="detail">${l?r`${l} · `:s}<time datetime=${new Date(t.sent_at).toISOString()}>${S(t.sent_at,e.words)}</time></span>
			</span>
			${f&&m&&p&&e.client?.calls.available.ok?r`<button class="button text" @click=${()=>e.calling.start(m,c?"video":"audio")}>${e.words.say("callBack")}</button>`:s}
		</div>
	</div>`}function _(e,t,n){let o=e.data??{},a=o.media==="video",i=o.state==="ended",d=i&&!o.duration_ms&&!t&&o.reason!=="declined"&&o.reason!=="completed";return{title:n.say(d?a?"logMissedVideo":"logMissedVoice":a?"logVideo":"logVoice"),detail:je(o,d,n),missed:d,over:i,video:a}}function je(e,t,n){if(e.state!=="ended")return n.say("logRunning");if(e.duration_ms)return z(e.duration_ms);if(t)return"";let o={declined:"logDeclined",cancelled:"logCancelled",no_answer:"logNoAnswer"};return n.say(o[e.reason??""]??"logFailed")}function ge(e){let{client:t,words:n}=e,o=t?.conversations.list()??[],{destination:a}=e.options,i=a&&!t?.conversations.direct(a)?a:void 0;return r`<div class="list" @scroll=${d=>{let f=d.currentTarget;t?.conversations.more&&f.scrollHeight-f.scrollTop-f.clientHeight<200&&t.conversations.loadMore().catch(()=>{})}}>
		${qe(e)}
		${o.length===0&&!i?r`<div class="empty">${u("chats","big")}
						<p class="lead">${n.say("noConversations")}</p>
						<p>${n.say("noConversationsHint")}</p></div>`:r`<ul>
						${i?r`<li>${Oe(e,i)}</li>`:s}
						${T(o,d=>d.id,d=>r`<li>${Ue(e,d)}</li>`)}
					</ul>`}
	</div>`}function Oe(e,t){let n=e.people.face({to:t});return r`<button class="conversation" @click=${()=>e.showConversation({to:t})}>
		${g(n,"medium")}
		<span class="summary"><span class="name"><bdi>${n.name}</bdi></span><span class="preview">${e.words.say("placeholder")}</span></span>
	</button>`}function Ue(e,t){let{words:n}=e,o=e.people.faceOf(t),{last:a,unread:i}=t;return r`<button
		class="conversation ${i>0?"unread":""}"
		@click=${()=>e.showConversation({conversation:t.id})}
	>
		${g(o,"medium",e.people.presence(o)?.state)}
		<span class="summary">
			<span class="name"><bdi>${o.name}</bdi></span>
			<span class="preview"><bdi>${Ae(e,t)}</bdi></span>
		</span>
		<span class="aside">
			${a?r`<time datetime=${new Date(a.sent_at).toISOString()}>${M(a.sent_at,Date.now(),n)}</time>`:s}
			${i>0?r`<span class="badge" aria-label=${n.count("unread",i)}>${i>99?"99+":i}</span>`:s}
		</span>
	</button>`}function Ae(e,{last:t}){return t?t.kind==="call"?_(t,t.sender===e.client?.user?.id,e.words).title:t.sender===e.client?.user?.id?`${e.words.say("you")}: ${t.text??""}`:t.text??"":""}var ve="carillon.notifications asked";function qe(e){if(e.options.notifications===!1||typeof Notification>"u")return s;if(Notification.permission!=="default"||De())return s;let t=()=>{be(),Notification.requestPermission().finally(()=>e.changed())},n=()=>{be(),e.changed()};return r`<div class="hint">
		<button class="button text" @click=${t}>${u("bell")} ${e.words.say("allowNotifications")}</button>
		<button class="button plain" aria-label=${e.words.say("dismiss")} @click=${n}>${u("close")}</button>
	</div>`}function De(){try{return localStorage.getItem(ve)!==null}catch{return!0}}function be(){try{localStorage.setItem(ve,"1")}catch{}}var Ke=5*6e4;function he(e,t,n){let o=[],a=n===void 0;return e.forEach((i,l)=>{let{message:d}=i,f=i.delivery!=="received"||d.sender===t,c=e[l-1],m=!c||C(c.message.sent_at)!==C(d.sent_at);m&&o.push({kind:"day",key:`day ${C(d.sent_at)}`,at:d.sent_at});let p=!a&&!f&&d.seq>(n??0);if(p&&o.push({kind:"unread",key:"unread"}),a||=p,d.kind==="call")o.push({kind:"call",key:i.key,row:i,log:d.data,mine:f});else if(d.kind==="system")o.push({kind:"notice",key:i.key,row:i});else{let v=m||p||!Ne(c,i),x=o.at(-1);!v&&x?.kind==="bubble"&&(o[o.length-1]={...x,last:!1}),o.push({kind:"bubble",key:i.key,row:i,mine:f,first:v,last:!0})}}),o}function Ne(e,t){return e!==void 0&&e.message.kind!=="call"&&e.message.kind!=="system"&&e.message.sender===t.message.sender&&t.message.sent_at-e.message.sent_at<Ke}function xe(e,t){let{ref:n,words:o,client:a}=e,i=e.transcript,l=i?.rows??[],d=he(l,a?.user?.id,n&&e.readTo.get(K(n))),f=l.at(-1)?.key,c=l.some(p=>p.key===t.rovingKey)?t.rovingKey:f,m=i?.conversation?a?.messages.typists(i.conversation.id)??[]:[];return r`<div
			class="log"
			role="log"
			aria-live="off"
			aria-label=${o.say("messages")}
			tabindex=${l.length===0?"0":s}
			@scroll=${t.place.moved}
			@keydown=${p=>We(p,t)}
			@focusin=${p=>Xe(p,t)}
		>
			<div class="spacer"></div>
			${i?.loading&&l.length===0?Ye(o.say("loading")):i?.more?s:Fe(e)}
			${T(d,p=>p.key,p=>me(e,p,p.key===c))}
			${m.length>0?r`<div class="line theirs first last" aria-hidden="true"><div class="bubble dots"><i></i><i></i><i></i></div></div>`:s}
		</div>
		${t.place.atEnd?s:r`<button class="button latest" aria-label=${o.say("latest")} @click=${()=>t.place.toEnd()}>${u("down")}</button>`}`}function Fe(e){let t=e.people.face(e.ref),{name:n}=t,o=!e.transcript?.rows.length;return r`<div class="beginning ${o?"empty":""}">
		${g(t,"huge")}
		<p class="lead" dir="auto">${n}</p>
		<p>${e.words.say(o?"hello":"start",{name:n})}</p>
	</div>`}function Ye(e){return r`<div class="skeleton"><span class="hidden">${e}</span><i></i><i class="mine"></i><i></i></div>`}function We(e,t){let n=[...e.currentTarget.querySelectorAll("[data-key]")],o=n.findIndex(l=>l.dataset.key===t.rovingKey),a=o<0?n.length-1:o,i={ArrowUp:a-1,ArrowDown:a+1,Home:0,End:n.length-1}[e.key];i===void 0||e.altKey||e.ctrlKey||e.metaKey||(e.preventDefault(),n[Math.max(0,Math.min(n.length-1,i))]?.focus())}function Xe(e,t){let n=e.target.closest("[data-key]");!n||n.dataset.key===t.rovingKey||(t.rovingKey=n.dataset.key,t.requestUpdate())}function ye(e,t){let{panel:n,large:o}=e.state,{screen:a}=n,i=e.calling.screen,l=a.kind==="chat"&&Je(e),d=n.kind==="open"&&n.devices;return r`<section
		class="panel ${l?"in-call":""} ${l&&o?"large":""}"
		role="dialog"
		aria-labelledby="title"
		tabindex="-1"
	>
		${a.kind==="chat"?le(e):de(e)}
		${d?e.calling.part?.devicesView(e)??s:s}
		${Z(e)}
		${l?e.calling.part?.stageView(e,i)??s:H(e,i)}
		<div class="body">
			${L(e)} ${a.kind==="chat"?xe(e,t):ge(e)}
			${a.kind==="chat"?se(e,t):s}
		</div>
	</section>`}function Je(e){let t=e.calling.screen;return t.kind==="pending"?!0:t.kind==="here"&&t.view.call.conversation===e.transcript?.conversation?.id}var $=class extends j{static styles=G;place=new E(this);rovingKey;#t=new R;#e;#n;get controller(){return this.#e}set controller(t){this.#e=t,this.requestUpdate()}createRenderRoot(){let t=[...this.shadowRoot?.adoptedStyleSheets??[]],n=super.createRenderRoot();return n.adoptedStyleSheets.unshift(...t),n}connectedCallback(){super.connectedCallback(),this.addEventListener("keydown",this.#s),document.addEventListener("visibilitychange",this.#o),window.addEventListener("focus",this.#o)}disconnectedCallback(){super.disconnectedCallback(),this.removeEventListener("keydown",this.#s),document.removeEventListener("visibilitychange",this.#o),window.removeEventListener("focus",this.#o),clearInterval(this.#n),this.#n=void 0}focusComposer(){this.updateComplete.then(()=>{let t=matchMedia("(pointer: coarse)").matches?[]:["textarea",".conversation"];ke(this.renderRoot,...t,".panel")?.focus({preventScroll:!0})})}say(t,n){this.#t.say(t,n),this.requestUpdate()}shows(t){let n=this.#e;return document.visibilityState==="visible"&&n?.state.panel.kind==="open"&&n.transcript?.conversation?.id===t&&this.place.atEnd}render(){let t=this.#e;if(!t)return s;let{calling:n}=t,o=t.state.panel.kind==="open";return r`
			${n.part?.ringsView(t,n.rings)??s}
			${o?ye(t,this):ee(t)}
			${D(t)}
			${this.#t.view()}
		`}willUpdate(){this.place.before()}updated(){this.place.after(),this.#o(),this.#r(),this.#a();let t=this.#e;t&&!(t.state.panel.kind==="open"&&t.state.panel.devices)&&t.calling.part?.devicesClosed(t)}#r(){let t=this.#e?.calling.screen,n=t?.kind==="here"||t?.kind==="elsewhere"?t.view:void 0,o=n!==void 0&&(y(n)||t?.kind==="elsewhere");o!==(this.#n!==void 0)&&(clearInterval(this.#n),this.#n=o?setInterval(()=>this.requestUpdate(),500):void 0)}#o=()=>{let t=this.#e,n=t?.transcript?.conversation;if(!t||!n||!document.hasFocus()||!this.shows(n.id))return;let o=t.transcript?.rows.findLast(a=>a.message.seq>0);o&&t.client?.messages.shown(n.id,o.message.seq)};#a(){let t=this.renderRoot,n=this.#i;if(this.#i=t.activeElement??void 0,!n||n.isConnected||this.#i)return;let o=ke(t,".stage","textarea",".conversation",".panel")??this.#e?.popup.button;o?.focus({preventScroll:!0}),this.#i=o}#i;#s=t=>{let n=this.#e;t.key!=="Escape"||t.defaultPrevented||t.isComposing||n?.state.panel.kind!=="open"||(t.preventDefault(),t.stopPropagation(),n.state.panel.devices?n.change({type:"devices"}):(n.close(),n.popup.button.focus()))}};function ke(e,...t){for(let n of t){let o=e.querySelector(n);if(o)return o}}function En(e){customElements.get("carillon-popup")||customElements.define("carillon-popup",$);let{host:t}=e.popup;if(customElements.upgrade(t),!(t instanceof $))throw new Error("another copy of the popup owns <carillon-popup>");return t.controller=e,t}export{En as show};
