import { css } from "./css.ts";

/** The panel, its header and the composer. */
export const panelStyles = css`
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
	/* Until a part is here. */
	.part {
		display: grid;
		justify-items: center;
		align-content: center;
		gap: var(--s3);
		flex: 1;
		padding: var(--s6);
		color: var(--ink-soft);
		font-size: var(--t-note);
		text-align: center;
		outline: none;
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
`;
