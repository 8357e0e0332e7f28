import { css } from "./css.ts";

/** The card of a ring, beside the button or over the panel. */
export const ringStyles = css`
	.rings {
		display: grid;
		grid-template-columns: minmax(0, 1fr);
		gap: var(--s2);
	}
	.ring {
		display: grid;
		/* A long name must not make the card wider than its place. */
		grid-template-columns: minmax(0, 1fr);
		gap: var(--s3);
		padding: var(--s4);
		border-radius: var(--radius);
		background: var(--bg);
		box-shadow: var(--shadow);
		animation: rise 0.28s var(--ease);
	}
	.corner:has(~ .panel) .ring {
		animation: drop 0.28s var(--ease);
	}
	@keyframes drop {
		from {
			opacity: 0;
		}
	}
	.ring .name {
		display: -webkit-box;
		-webkit-box-orient: vertical;
		-webkit-line-clamp: 2;
		font-size: var(--t-head);
		line-height: 1.25;
		overflow-wrap: anywhere;
		white-space: normal;
		/* Cut at its own end, and still beside the picture. */
		unicode-bidi: plaintext;
		text-align: -webkit-match-parent;
		text-align: match-parent;
	}
	.ring .name > bdi {
		display: inline;
	}
	.note {
		color: var(--ink-soft);
		font-size: var(--t-note);
		overflow-wrap: anywhere;
	}
	.choices {
		display: grid;
		grid-template-columns: repeat(2, minmax(0, 1fr));
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
	@media (prefers-reduced-motion: reduce) {
		.pulse::before,
		.pulse::after {
			display: none;
		}
	}
	@media (max-width: 480px), (max-height: 480px) {
		.rings {
			position: fixed;
			z-index: 3;
			inset: max(var(--s2), env(safe-area-inset-top)) var(--s2) auto;
		}
		.corner:has(~ .panel) .rings {
			inset-block-start: calc(76px + env(safe-area-inset-top));
		}
	}
	@media (forced-colors: active) {
		.ring {
			border: 1px solid CanvasText;
		}
	}
`;
