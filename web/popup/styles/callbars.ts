import { css } from "./css.ts";

/** Strips of calls, and the question whether their sound may play. */
export const callBarStyles = css`
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
	.call-bar .detail {
		white-space: normal;
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
	@media (forced-colors: active) {
		.call-bar {
			border: 1px solid CanvasText;
		}
	}
`;
