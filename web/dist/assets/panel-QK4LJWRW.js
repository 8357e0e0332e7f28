import{a as m,b as a,c as y,d as s,e as _,f as d,g as b,h as q,i as j,j as F,k as D,l as $,n as N,o as K,q as g,r as Y,s as R,t as z}from"./chunk-5MX3KXJK.js";import{a as w,c as V,d as B,e as O,f as U,i as h,j as W,k as x,l as I}from"./chunk-OSARB2LB.js";var ke=1e3,T=class{#e=[];#t="";#i=0;say(e,n){if(n){this.#t=e;return}let i=performance.now();i-this.#i>ke&&(this.#e=[]),this.#i=i,this.#e.push(e)}view(){return a`<div class="hidden" aria-live="polite" aria-atomic="false">
				${this.#e.map(e=>a`<p dir="auto">${e}</p>`)}
			</div>
			<div class="hidden" aria-live="assertive">${this.#t}</div>`}};var E=class{atEnd=!0;#e;#t;#i="";#n;#a=0;#o=!1;#r=0;#c=new ResizeObserver(()=>this.#p());constructor(e){this.#e=e}before(){let e=this.#t;e?.isConnected&&(this.#a=e.scrollHeight-e.scrollTop)}after(e){let n=e.querySelector(".log")??void 0;n!==this.#t&&(this.#c.disconnect(),this.#t=n,this.#i="",n&&this.#c.observe(n));let i=this.#e.log;if(!n||!i)return;let{key:o,loading:r}=i,l=i.items.find(c=>"row"in c)?.key;o!==this.#i?(this.#i=o,this.#e.began(),this.#s(n,r)):l!==this.#n&&this.#n!==void 0&&!this.atEnd?n.scrollTop=n.scrollHeight-this.#a:this.atEnd&&(n.scrollTop=n.scrollHeight,this.#r=n.scrollTop),this.#n===void 0&&l!==void 0&&(this.#e.began(),this.#s(n,!1)),this.#n=l}moved=()=>{let e=this.#t;if(!e)return;let i=e.scrollHeight-e.scrollTop-e.clientHeight<48||this.atEnd&&e.scrollTop>=this.#r;this.#r=e.scrollTop,i!==this.atEnd&&(this.atEnd=i,this.#e.requestUpdate()),e.scrollTop<400&&this.#l()};toEnd(){let e=this.#t;if(!e)return;this.atEnd=!0;let n=matchMedia("(prefers-reduced-motion: reduce)").matches;e.scrollTo({top:e.scrollHeight,behavior:n?"instant":"smooth"}),this.#e.requestUpdate()}#s(e,n){let i=n?null:e.querySelector(".divider");e.scrollTop=i?i.offsetTop-64:e.scrollHeight;let o=e.scrollHeight-e.scrollTop-e.clientHeight<48;o!==this.atEnd&&this.#e.requestUpdate(),this.atEnd=o}#p(){this.#t&&this.atEnd&&(this.#t.scrollTop=this.#t.scrollHeight)}async#l(){let e=this.#e.log;this.#o||!e?.more||e.loading||(this.#o=!0,await this.#e.older(),this.#o=!1)}};var X=m`
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
	/* Beside the button: rings, and above them what floats. However tall a ring is, nothing lies under it. */
	.corner {
		position: absolute;
		z-index: 3;
		inset-block-end: 76px;
		inset-inline-end: 0;
		display: flex;
		flex-direction: column-reverse;
		gap: var(--s2);
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
	/* Over the panel it hangs from under the header, whose buttons stay usable. */
	.corner:has(~ .panel) {
		inset-block: auto calc(76px + min(600px, 100dvh - 76px - var(--_y, 20px) - 16px));
		inset-inline-end: var(--s2);
		inline-size: 364px;
		transform: translateY(calc(100% + 76px));
	}
	.corner:has(~ .panel.in-call) {
		inset-block-end: calc(76px + min(720px, 100dvh - 76px - var(--_y, 20px) - 16px));
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
	@media (max-width: 480px), (max-height: 480px) {
		.corner {
			display: contents;
		}
		.floating {
			position: fixed;
			z-index: 3;
			inset: auto var(--s2) 88px;
		}
	}
	@media (forced-colors: active) {
		.floating > *,
		.notice,
		.call-bar {
			border: 1px solid CanvasText;
		}
	}
`;var G=m`
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
	.name-row {
		display: flex;
		align-items: baseline;
		gap: 6px;
		min-inline-size: 0;
	}
	.name-row > .name {
		min-inline-size: 0;
	}
	/* Never cut: a name of any length leaves it its place. */
	.guest {
		flex: none;
		padding: 1px 7px;
		border-radius: 999px;
		background: var(--soft);
		color: var(--soft-ink);
		font-size: var(--t-small);
		font-weight: 600;
		line-height: 1.4;
		white-space: nowrap;
		text-shadow: none;
	}
	/* A name in another direction than the page's is cut at its own end. */
	.name > bdi {
		display: inline-block;
		max-inline-size: 100%;
		overflow: hidden;
		text-overflow: ellipsis;
		vertical-align: bottom;
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
	.row.tight {
		align-items: baseline;
		gap: var(--s1);
		min-inline-size: 0;
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
`;var J=m`
	.panel {
		position: absolute;
		inset-block-end: 76px;
		inset-inline-end: 0;
		display: flex;
		flex-direction: column;
		inline-size: 380px;
		block-size: min(600px, calc(100dvh - 76px - var(--_y, 20px) - 16px));
		overflow: hidden;
		isolation: isolate; /* nothing in it lies over the card of a ring */
		border-radius: var(--radius);
		background: var(--bg);
		box-shadow: var(--shadow);
		outline: none;
		animation: rise 0.24s var(--ease);
		transition: inline-size 0.24s var(--ease), block-size 0.24s var(--ease);
	}
	:host([data-side="start"]) :is(.panel, .corner) {
		inset-inline: 0 auto;
	}
	:host([data-side="left"]) :is(.panel, .corner) {
		inset-inline: auto;
		left: 0;
	}
	:host([data-side="right"]) :is(.panel, .corner) {
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
		gap: 6px;
		flex: none;
		min-block-size: 68px;
		padding: var(--s3) var(--s1);
		border-block-end: 1px solid var(--line);
		background: var(--bg);
	}
	.header .back {
		gap: 0;
		margin-inline-end: -4px;
	}
	.header .back.counted {
		gap: 2px;
		padding-inline: var(--s1) 6px;
		margin-inline-end: 0;
	}
	.who {
		flex: 1;
		min-inline-size: 0;
		padding-inline-start: 2px;
	}
	.who.start {
		padding-inline-start: var(--s3);
	}
	h2 {
		font-size: var(--t-head);
		font-weight: 650;
		line-height: 1.3;
		letter-spacing: -0.01em;
		text-align: start;
	}
	/* A name has two lines, a long one three smaller ones, before it is cut. */
	.header h2 {
		display: -webkit-box;
		-webkit-box-orient: vertical;
		-webkit-line-clamp: 2;
		line-height: 1.2;
		overflow: hidden;
		overflow-wrap: anywhere;
	}
	.header h2:not(.long) + .presence {
		min-block-size: 1.35em; /* its place is kept until it is known */
	}
	.header .long {
		-webkit-line-clamp: 3;
		font-size: 0.875rem;
	}
	.presence {
		color: var(--ink-soft);
		font-size: var(--t-note);
		line-height: 1.35;
		overflow-wrap: anywhere;
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
		margin-inline-start: -6px;
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
	.invitation {
		display: flex;
		gap: var(--s3);
		padding: var(--s3);
		border-radius: 14px;
		background: var(--bg-soft);
		font-size: var(--t-note);
		line-height: 1.35;
		overflow-wrap: anywhere;
	}
	.invitation + :is(.invitation, ul) {
		margin-block-start: var(--s2);
	}
	.answers {
		display: flex;
		gap: var(--s2);
		margin-block-start: var(--s2);
	}
	.answers .button {
		padding-inline: var(--s4);
		font-size: var(--t-note);
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
`;var Q=m`
	:host {
		--bg: #fff;
		--bg-soft: #f4f6fa;
		--bg-press: #e9edf5;
		--bubble: #eff2f8;
		--ink: #131826;
		--ink-soft: #566077;
		--line: #e3e8f1;
		--link: var(--accent);
		--danger: #c8232c;
		--danger-soft: #fdecec;
		--danger-ink: #a3141d;
		--go: #137a4b;
		--soft: color-mix(in srgb, var(--accent) 12%, var(--bg));
		--soft-ink: color-mix(in srgb, var(--accent) 78%, #000);
		--online: #1fa463;
		--away: #e0a100;
		--focus: var(--link);
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
		--link: color-mix(in srgb, var(--accent) 50%, #fff);
		--danger: #d5333c;
		--danger-soft: #3a1e24;
		--danger-ink: #ffb3b5;
		--soft: color-mix(in srgb, var(--accent) 26%, var(--bg));
		--soft-ink: color-mix(in srgb, var(--accent) 35%, #fff);
		--online: #3ecf8a;
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
`;var Z=m`
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
	/* Each paragraph by its own direction, also in a message of two languages. */
	.content {
		display: block;
		white-space: pre-wrap;
		unicode-bidi: plaintext;
		text-align: start;
		font-size: var(--t-text);
		color: inherit;
	}
	.content a {
		color: inherit;
		text-decoration: underline;
		text-underline-offset: 2px;
	}
	.theirs .content a {
		color: var(--link);
	}
	.meta {
		display: flex;
		align-items: center;
		gap: 5px;
		margin-block-start: 3px;
		padding-inline: var(--s1);
		color: var(--ink-soft);
		font-size: 0.75rem;
		line-height: 1.4;
		font-variant-numeric: tabular-nums;
		white-space: nowrap;
		user-select: none;
	}
	.tick {
		display: inline-flex;
	}
	.tick .icon {
		inline-size: 16px;
		block-size: 14px;
		stroke-width: 2.2;
	}
	/* Read differs from delivered by its shape, not only by its colour. */
	.tick.read {
		padding: 0 3px;
		border-radius: 8px;
		background: var(--accent);
		color: var(--on-accent);
	}
	.tick.read .icon {
		stroke-width: 2.6;
	}
	.tick.failed {
		color: var(--danger-ink);
	}
	.bubble.emoji {
		padding: 0;
		background: none !important;
		color: inherit;
	}
	.bubble.emoji .content {
		font-size: 2.5rem;
		line-height: 1.2;
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
		display: flex;
		justify-content: center;
		flex: none;
		border-block-start: 1px solid var(--line);
		background: var(--bg);
	}
	.latest .button {
		flex: 1;
		gap: var(--s1);
		border-radius: 0;
		outline-offset: -4px;
		color: var(--link);
		font-size: var(--t-note);
	}
	.latest .button:hover {
		background: var(--bg-soft);
	}
	.latest .icon {
		inline-size: 18px;
		block-size: 18px;
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
`;var ee=[Q,G,J,Z,X];function ie(t,e){return e?a`<p class="strip" aria-live="polite">${d("cloud")} ${t.say(e)}</p>`:s}function S({notice:t,problem:e,words:n},i){return a`${t?te(n,t.kind,t.text,()=>i.dismiss(t)):s}${e?te(n,"error",e.text,()=>i.dismissProblem(e.cause)):s}`}function te(t,e,n,i){return a`<div class="notice ${e}">
		<p role=${e==="error"?"alert":"status"}>${n}</p>
		<button class="button plain" aria-label=${t.say("dismiss")} @click=${i}>${d("close")}</button>
	</div>`}function C(t,e){let{call:n,words:i}=t;return n.kind==="elsewhere"?we(t,n.view,e):n.kind==="here"?a`${ne(t,n.view,i.say("hangUp"),e)}
			${n.held.map(o=>ne(t,o,i.say("endCallWith",{name:h(o.others,i)}),e))}`:s}function oe(t,e){let n=C(t,e);return n===s&&!t.notice?s:a`<section class="floating" aria-label=${t.words.say("callRegion")}>${S(t,e)} ${n}</section>`}function we(t,e,n){let{words:i,clock:o}=t,r=I(e,o,i),l=e.activeSince===void 0?"":w(o-e.activeSince),c=e.where&&!e.sameDevice?i.say("onDevice",{device:e.where.device_name}):i.say("inOtherTab");return a`<div class="call-bar" role="group" aria-label=${h(e.others,i)}>
		<div class="row">
			${g(se(t,e),"small")}
			<span class="summary">
				<span class="row tight">${R(i,e.others)}${l&&r!==l?a`<span class="clock">${l}</span>`:s}</span>
				<span class="detail"><span role="status" aria-live=${x(e)&&r===l?"off":"polite"}>${r}</span>${l&&r!==l?s:a` · ${c}`}</span>
			</span>
			${re(i,e,n)} ${ae(e,i.say("hangUp"),n)}
		</div>
		<button class="button wide" @click=${()=>n.moveHere(e.id)}>${d("moveHere","mirrored")} ${i.say("moveHere")}</button>
	</div>`}function ne(t,e,n,i){let{words:o}=t,r=()=>i.backToCall(e.call.conversation);return a`<div class="call-bar live" role="group" aria-label=${h(e.others,o)}>
		<div class="row">
			<button class="button back-to-call" aria-label=${o.say("backToCall",{name:h(e.others,o)})} @click=${r}>
				${g(se(t,e),"small")}
				<span class="summary">${R(o,e.others)}</span>
			</button>
			<span class="detail" role="status" aria-live=${x(e)?"off":"polite"}>${W(e,t.clock,o)}</span>
			${e.phase==="held"?$e(o,e,i):re(o,e,i)} ${ae(e,n,i)}
		</div>
	</div>`}function $e(t,e,n){return a`<button class="button text" @click=${()=>n.setHeld(e.id,!1)}>${t.say("resume")}</button>`}function re(t,e,n){if(e.phase==="calling"||e.phase==="ringing")return s;let i=e.me.microphone;return a`<button
		class="button plain ${i?"":"off"}"
		aria-label=${t.say(i?"mute":"unmute")}
		@click=${()=>n.setMicrophone(e.id,!i)}
	>
		${d(i?"mic":"micOff")}
	</button>`}function ae(t,e,n){return a`<button class="button danger" aria-label=${e} @click=${()=>n.hangUp(t.id)}>
		${d("hangUp","filled")}
	</button>`}function se({faces:t},e){let n=e.others[0]?.user??"";return t.get(n)??{id:n,name:n}}var le=q(class extends j{constructor(t){if(super(t),t.type!==b.PROPERTY&&t.type!==b.ATTRIBUTE&&t.type!==b.BOOLEAN_ATTRIBUTE)throw Error("The `live` directive is not allowed on child or event bindings");if(!F(t))throw Error("`live` bindings can only contain a single expression")}render(t){return t}update(t,[e]){if(e===y||e===s)return e;let n=t.element,i=t.name;if(t.type===b.PROPERTY){if(e===n[i])return y}else if(t.type===b.BOOLEAN_ATTRIBUTE){if(!!e===n.hasAttribute(i))return y}else if(t.type===b.ATTRIBUTE&&n.getAttribute(i)===e+"")return y;return D(t),e}});function ce(t,e,n,i){let o=()=>{n.send()&&i()},r=c=>{let u=c.target;n.write(u.value),L(u)},l=c=>{c.key!=="Enter"||c.shiftKey||c.isComposing||(c.preventDefault(),o())};return a`<form
		class="composer"
		@submit=${c=>{c.preventDefault(),o()}}
	>
		<textarea
			rows="1"
			dir=${e?"auto":s}
			enterkeyhint="send"
			autocomplete="off"
			aria-label=${t.say("message")}
			placeholder=${t.say("placeholder")}
			.value=${le(e)}
			@input=${r}
			@keydown=${l}
		></textarea>
		<button class="button send" aria-label=${t.say("send")} aria-disabled=${e.trim()===""?"true":"false"}>
			${d("send","mirrored")}
		</button>
	</form>`}function L(t){t.style.blockSize="auto",t.style.blockSize=`${t.scrollHeight+2}px`}function de(t,e,n){let{words:i}=t,{face:o,presence:r,typing:l}=e;return a`<div class="header">
		${ze(t,e,n)} ${g(o,"medium",r?.state)}
		<div class="who">
			<h2 id="title" class=${o.name.length>18?"long":""} title=${o.name}><bdi>${o.name}</bdi></h2>
			<p class="presence">${o.guest?a`${z(i)} `:s}${l?a`<span class="accented">${i.say("typing",{name:l})}</span>`:Ee(t,e)}</p>
		</div>
		${Te(t,e,n)} ${ue(t,e,n)}
	</div>`}function pe(t,e,n){return a`<div class="header">
		<div class="who start"><h2 id="title">${t.words.say("conversations")}</h2></div>
		${ue(t,e,n)}
	</div>`}function ue({words:t},e,n){return a`<button class="button plain only-phone ${e.closeButton?"always":""}" aria-label=${t.say("closeChat")} @click=${()=>n.close()}>
		${d("close")}
	</button>`}function ze({words:t},{unreadElsewhere:e},n){return a`<button
		class="button plain back ${e>0?"counted":""}"
		aria-label=${t.say("conversations")}
		aria-describedby=${e>0?"elsewhere":s}
		@click=${()=>n.showList()}
	>
		${d("back","mirrored")}
		${e>0?a`<span class="badge" id="elsewhere" aria-label=${t.count("unread",e)}>${e>99?"99+":e}</span>`:s}
	</button>`}function Te({words:t},e,n){let{callButtons:i,ref:o}=e;if(i.kind==="none")return s;if(i.kind==="impossible")return a`<p class="no-calls">${t.say(i.why)}</p>`;let r=e.devices!==void 0,l=()=>n.nearCall(),c=(u,f)=>a`<button
		class="button plain"
		aria-label=${u}
		@pointerenter=${l}
		@focus=${l}
		@click=${()=>n.start(o,f)}
	>
		${d(f==="video"?"video":"phone")}
	</button>`;return a`<div class="call-buttons">
		${i.audio?c(t.say("voiceCall"),"audio"):s}
		${i.video?c(t.say("videoCall"),"video"):s}
		<button
			class="button plain narrow"
			aria-label=${t.say("deviceMenu")}
			aria-expanded=${r?"true":"false"}
			@pointerenter=${l}
			@focus=${l}
			@click=${()=>n.toggleDevices()}
		>
			${d("down",r?"turned":"")}
		</button>
	</div>`}function Ee({words:t,now:e},{presence:n,face:i}){return i.count!==void 0?t.count("members",i.count):n?n.state==="offline"&&n.last_seen?t.say("lastSeen",{when:U(n.last_seen,e,t)}):t.say(n.state):""}var Re=/\bhttps?:\/\/[^\s<>"'\p{Bidi_Control}]+|\bwww\.[^\s<>"'\p{Bidi_Control}]+\.[^\s<>"'\p{Bidi_Control}]+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+\b/giu;function fe(t){let e=[],n=0;for(let i of t.matchAll(Re)){let o=Se(i[0]),r=Le(o);r&&(i.index>n&&e.push({text:t.slice(n,i.index)}),e.push({text:o,href:r}),n=i.index+o.length)}return n<t.length&&e.push({text:t.slice(n)}),e}function Se(t){let e={};for(let i of t)/[()[\]{}]/.test(i)&&(e[i]=(e[i]??0)+1);let n=t.length;for(;n>0;n--){let i=t[n-1]??"",o=Ce[i];if(!(o?(e[i]??0)>(e[o]??0):/[.,:;!?…]/.test(i)))break;o&&(e[i]=(e[i]??0)-1)}return t.slice(0,n)}var Ce={")":"(","]":"[","}":"{"};function Le(t){let e=/^https?:/i.test(t)?t:t.includes("@")&&!/^www\./i.test(t)?`mailto:${t}`:`https://${t}`;if(!/^https?:\/\/[^/\\?#]*@/i.test(e))return URL.canParse(e)?new URL(e).href:void 0}function me(t){return new RegExp("^(?:\\p{Extended_Pictographic}(?:️|[\\u{1F3FB}-\\u{1F3FF}]|‍\\p{Extended_Pictographic})*\\s?){1,3}$","u").test(t.trim())}function ge(t,e,n,i,o){let{words:r}=t;switch(n.kind){case"day":return a`<p class="day"><span>${V(n.at,t.now,r)}</span></p>`;case"unread":return a`<p class="divider"><span>${r.say("newMessages")}</span></p>`;case"notice":return a`<p class="day" dir="auto">${n.row.message.text}</p>`;case"call":return Ve(r,e,n,i,o);case"bubble":return Ae(r,e,n,i,o)}}function Ae(t,e,n,i,o){let{row:r,mine:l,first:c,last:u}=n,f=r.message.text??"",v=me(f),p=l?t.say("you"):e.names.get(r.message.sender)??r.message.sender;return a`<div
		class="line ${l?"mine":"theirs"} ${c?"first":""} ${u?"last":""} ${r.delivery}"
		data-key=${n.key}
		tabindex=${i?"0":"-1"}
		role="article"
		aria-label=${t.say("said",{name:p,text:f})}
	>
		<div class="bubble ${v?"emoji":""}">
			${e.group&&!l&&c?a`<span class="sender" dir="auto">${p}</span>`:s}
			<span class="content" dir="auto">${fe(f).map(({text:H,href:M})=>M?a`<a href=${M} dir="auto" target="_blank" rel="noopener noreferrer nofollow ugc">${H}</a>`:H)}</span>
		</div>
		${u||n.tick?a`<div class="meta">${u?be(t,r.message):s}${n.tick?He(r,t):s}</div>`:s}
		${r.delivery==="failed"?Me(t,r,o):s}
	</div>`}function be(t,{sent_at:e}){return a`<time datetime=${new Date(e).toISOString()}>${B(e,t)}</time>`}var Pe={queued:["clock","queued"],sending:["clock","sending"],unconfirmed:["clock","unconfirmed"],sent:["check","sent"],delivered:["checks","delivered"],read:["checks","read"],failed:["alert","failed"]};function He({delivery:t},e){if(t==="received")return s;let[n,i]=Pe[t],o=e.say(i);return a`<span class="tick ${t}" role="img" aria-label=${o} title=${o}>${d(n)}</span>`}function Me(t,e,n){return a`<div class="failed-bar">
		<span>${e.refused?.message??t.say("failed")}</span>
		<button class="button text" @click=${()=>n.resend(e.key)}>${t.say("tryAgain")}</button>
		<button class="button text" @click=${()=>n.discard(e.key)}>${t.say("discard")}</button>
	</div>`}function Ve(t,{callBack:e},{key:n,row:{message:i},mine:o},r,l){let{title:c,detail:u,missed:f,over:v,video:p}=A(i,o,t);return a`<div class="line ${o?"mine":"theirs"} first last" data-key=${n} tabindex=${r?"0":"-1"} role="article" aria-label=${`${c} ${u}`}>
		<div class="call-entry ${f?"missed":""}">
			<span class="disc">${d(p?"video":"phone")}</span>
			<span class="summary">
				<span class="name">${c}</span>
				<span class="detail">${u?a`${u} · `:s}${be(t,i)}</span>
			</span>
			${v&&e?a`<button class="button text" @click=${()=>l.start(e,p?"video":"audio")}>${t.say(o?"callAgain":"callBack")}</button>`:s}
		</div>
	</div>`}function A(t,e,n){let i=t.data??{},o=i.media==="video",r=i.state==="ended",c=r&&!i.duration_ms&&!e&&i.reason!=="declined"&&i.reason!=="completed";return{title:n.say(c?o?"logMissedVideo":"logMissedVoice":o?"logVideo":"logVoice"),detail:Be(i,c,n),missed:c,over:r,video:o}}function Be(t,e,n){if(t.state==="ringing")return n.say("logRinging");if(t.state!=="ended")return n.say("logRunning");if(t.duration_ms)return w(t.duration_ms);if(e)return"";let i={declined:"logDeclined",cancelled:"logCancelled",no_answer:"logNoAnswer"};return n.say(i[t.reason??""]??"logFailed")}function ve(t,e,n){let{words:i}=t;return a`<div class="list" @scroll=${r=>{let l=r.currentTarget;e.more&&l.scrollHeight-l.scrollTop-l.clientHeight<200&&n.more()}}>
		${e.offerNotifications?Ie(i,n):s}
		${e.invitations.map(r=>Oe(i,r,n))}
		${e.entries.length===0&&e.invitations.length===0?a`<div class="empty">${d("chats","big")}
						<p class="lead">${i.say("noConversations")}</p>
						<p>${i.say("noConversationsHint")}</p></div>`:a`<ul>
						${$(e.entries,r=>r.key,r=>a`<li>${Ue(t,r,n)}</li>`)}
					</ul>`}
	</div>`}function Oe(t,{conversation:e,group:n,by:i},o){let r=i?t.say("invites",{name:i,group:n}):t.say("invited",{group:n});return a`<div class="invitation" role="group" aria-label=${r}>
		${g({name:n},"medium")}
		<span class="summary">
			<span dir="auto">${r}</span>
			<span class="answers">
				<button class="button go" @click=${()=>o.join(e)}>${t.say("join")}</button>
				<button class="button text" @click=${()=>o.declineInvitation(e)}>${t.say("decline")}</button>
			</span>
		</span>
	</div>`}function Ue({words:t,now:e},n,i){let{face:o,presence:r,last:l,unread:c}=n;return a`<button
		class="conversation ${c>0?"unread":""}"
		@click=${()=>i.showConversation(n.ref)}
	>
		${g(o,"medium",r?.state)}
		<span class="summary">
			${Y(t,o)}
			<span class="preview"><bdi>${We(t,n)}</bdi></span>
		</span>
		<span class="aside">
			${l?a`<time datetime=${new Date(l.sent_at).toISOString()}>${O(l.sent_at,e,t)}</time>`:s}
			${c>0?a`<span class="badge" aria-label=${t.count("unread",c)}>${c>99?"99+":c}</span>`:s}
		</span>
	</button>`}function We(t,{last:e,mine:n}){if(!e)return t.say("placeholder");if(e.kind==="call")return A(e,n,t).title;let i=e.text??"";return n?t.say("said",{name:t.say("you"),text:i}):i}function Ie(t,e){return a`<div class="hint">
		<button class="button text" @click=${()=>e.askForNotifications(!0)}>${d("bell")} ${t.say("allowNotifications")}</button>
		<button class="button plain" aria-label=${t.say("dismiss")} @click=${()=>e.askForNotifications(!1)}>${d("close")}</button>
	</div>`}function he(t,e,n,i){let{words:o}=t,{items:r,loading:l,more:c,typing:u}=e.log,f=r.filter(p=>"row"in p),v=f.some(p=>p.key===i.rovingKey)?i.rovingKey:f.at(-1)?.key;return a`<div
			class="log"
			role="log"
			aria-live="off"
			aria-label=${o.say("messages")}
			tabindex=${f.length===0?"0":s}
			@scroll=${i.scrolled}
			@keydown=${p=>Fe(p,v)}
			@focusin=${p=>De(p,i)}
		>
			<div class="spacer"></div>
			${l?je(o.say("loading")):c?s:qe(t,e)}
			${$(r,p=>p.key,p=>ge(t,e.log,p,p.key===v,n))}
			${u?a`<div class="line theirs first last" aria-hidden="true"><div class="bubble dots"><i></i><i></i><i></i></div></div>`:s}
		</div>
		${i.atEnd?s:_e(o,i)}`}function _e(t,{unseen:e,toEnd:n}){let i=e>0?t.count("newCount",e):t.say("latest"),o=e>0?`${t.say("latest")}: ${i}`:i;return a`<div class="latest">
		<button class="button ${e>0?"unseen":""}" aria-label=${o} @click=${n}>${d("down")} ${i}</button>
	</div>`}function qe({words:t},{face:e,log:n,stopped:i}){let{name:o}=e,r=n.items.length===0;return a`<div class="beginning ${r?"empty":""}">
		${g(e,"huge")}
		<p class="lead" dir="auto">${o}</p>
		${e.guest?z(t):s}
		${i?s:a`<p>${t.say(r?"hello":"start",{name:t.called(e)})}</p>`}
	</div>`}function je(t){return a`<div class="skeleton"><span class="hidden">${t}</span><i></i><i class="mine"></i><i></i></div>`}function Fe(t,e){let n=[...t.currentTarget.querySelectorAll("[data-key]")],i=n.findIndex(l=>l.dataset.key===e),o=i<0?n.length-1:i,r={ArrowUp:o-1,ArrowDown:o+1,Home:0,End:n.length-1}[t.key];r===void 0||t.altKey||t.ctrlKey||t.metaKey||(t.preventDefault(),n[Math.max(0,Math.min(n.length-1,r))]?.focus())}function De(t,e){let n=t.target.closest("[data-key]")?.dataset.key;n&&e.focused(n)}function xe(t,e,n,i){let{words:o}=t,r=e.kind==="chat"&&e.staged,l=r&&e.large;return a`<section
		class="panel ${r?"in-call":""} ${l?"large":""}"
		role="dialog"
		aria-labelledby="title"
		tabindex="-1"
	>
		${e.kind==="chat"?de(t,e,n):pe(t,e,n)}
		${ie(o,e.connection)}
		${r?i.call?.stageView(t,e,n)??s:C(t,n)}
		<div class="body">
			${e.devices&&!r?i.call?.devicesView(o,e.devices,n)??s:s}
			${S(t,n)}
			${e.kind==="chat"?he(t,e,n,i.log):ve(t,e,n)}
			${e.kind==="chat"&&!e.stopped?ce(o,e.draft,n,i.sent):s}
		</div>
	</section>`}var ye=["pointerdown","pointerup","keydown","click"],k=class extends _{static styles=ee;#e;#t;#i=new T;#n;#a;#o;#r;#c="";#s=0;constructor(){super();let e=()=>this.#l;this.#n=new E({get log(){return e()},requestUpdate:()=>this.requestUpdate(),older:async()=>this.#e?.actions.older(),began:()=>{this.#a=void 0,this.#s=Ne(this.#l)}})}set owner(e){this.#e=e,this.requestUpdate()}createRenderRoot(){let e=[...this.shadowRoot?.adoptedStyleSheets??[]],n=super.createRenderRoot();return n.adoptedStyleSheets.unshift(...e),n}connectedCallback(){super.connectedCallback(),this.addEventListener("keydown",this.#f),document.addEventListener("visibilitychange",this.#d),window.addEventListener("focus",this.#d);for(let e of ye)window.addEventListener(e,this.#u,{capture:!0})}disconnectedCallback(){super.disconnectedCallback(),this.removeEventListener("keydown",this.#f),document.removeEventListener("visibilitychange",this.#d),window.removeEventListener("focus",this.#d);for(let e of ye)window.removeEventListener(e,this.#u,{capture:!0});clearInterval(this.#o),this.#o=void 0}#p(e){let{adoptedStyleSheets:n}=this.renderRoot;for(let{styleSheet:i}of e)i&&!n.includes(i)&&n.push(i)}focusComposer(){this.updateComplete.then(()=>{let e=matchMedia("(pointer: coarse)").matches?[]:["textarea",".conversation"];P(this.renderRoot,...e,".panel")?.focus({preventScroll:!0})})}say(e,n){this.#i.say(e,n),this.requestUpdate()}shows(e){let n=this.#t?.panel;return document.visibilityState==="visible"&&n?.kind==="chat"&&n.log.conversation===e&&this.#n.atEnd}get#l(){let e=this.#t?.panel;return e?.kind==="chat"?e.log:void 0}render(){let e=this.#e;if(!e)return s;let{actions:n}=e,i=e.callPart();i&&this.#p(i.callStyles);let o=e.screen();this.#t=o;let r={atEnd:this.#n.atEnd,unseen:this.#m(),rovingKey:this.#a,scrolled:this.#n.moved,toEnd:()=>this.#n.toEnd(),focused:c=>{c!==this.#a&&(this.#a=c,this.requestUpdate())}},l=()=>{this.#n.atEnd=!0,P(this.renderRoot,"textarea")?.focus()};return a`
			<div class="corner">
				${i?.ringsView(o,n)??s}
				${o.panel?s:oe(o,n)}
			</div>
			${o.panel?xe(o,o.panel,n,{call:i,log:r,sent:l}):s}
			${N(o,n)}
			${this.#i.view()}
		`}willUpdate(){this.#n.before()}updated(){this.#g(),this.#n.after(this.renderRoot),this.#d(),this.#u(),this.#b(),this.#v()}#m(){let e=this.#l;return e?(this.#n.atEnd&&(this.#s=e.newest),e.items.filter(n=>"row"in n&&!n.mine&&n.row.message.seq>this.#s).length):0}#g(){let e=this.#t?.panel,n=e?.kind==="chat"?e.draft:"";if(n===this.#c)return;this.#c=n;let i=this.renderRoot.querySelector(".composer textarea");i&&L(i)}#b(){let e=this.#t?.call,n=e?.kind==="elsewhere"||e?.kind==="here"&&x(e.view);n!==(this.#o!==void 0)&&(clearInterval(this.#o),this.#o=n?setInterval(()=>this.requestUpdate(),500):void 0)}#d=()=>{let e=this.#l;!e?.conversation||!document.hasFocus()||!this.shows(e.conversation)||e.newest>0&&this.#e?.actions.seen(e.conversation,e.newest)};#u=()=>{this.#e&&this.#t?.soundBlocked&&K(this.renderRoot,this.#e.actions)};#v(){let e=this.renderRoot,n=this.#r;if(this.#r=e.activeElement??void 0,!n||n.isConnected||this.#r)return;let i=P(e,".stage","textarea",".conversation",".panel",".launcher");i?.focus({preventScroll:!0}),this.#r=i}#f=e=>{let n=this.#t?.panel;e.key!=="Escape"||e.defaultPrevented||e.isComposing||!n||(e.preventDefault(),e.stopPropagation(),n.devices?this.#e?.actions.toggleDevices():this.#e?.actions.close())}};function Ne(t){let e=t?.items.findIndex(i=>i.kind==="unread")??-1;if(!t||e<0)return t?.newest??0;let n=t.items.slice(0,e).findLast(i=>"row"in i);return n&&"row"in n?n.row.message.seq:0}function P(t,...e){for(let n of e){let i=t.querySelector(n);if(i)return i}}function wn(t,e){if(customElements.get("carillon-popup")||customElements.define("carillon-popup",k),customElements.upgrade(t),!(t instanceof k))throw new Error("another copy of the popup owns <carillon-popup>");return t.owner=e,t}export{wn as show};
