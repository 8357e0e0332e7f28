import { css } from "./css.ts";

/** Strips in the panel, and what floats beside the button while the panel is closed. */
export const barStyles = css`
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
		.notice {
			border: 1px solid CanvasText;
		}
	}
`;
