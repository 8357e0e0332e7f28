import { css } from "./css.ts";

export const transcriptStyles = css`
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
	.bubble.stand-in .content {
		font-style: italic;
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
	/* A sheet of its own colour, so that it reads the same in bubbles of both kinds. */
	.card {
		display: block;
		margin-block-start: var(--s2);
		overflow: hidden;
		border: 1px solid var(--line);
		border-radius: 12px;
		background: var(--bg);
		color: var(--ink);
		text-decoration: none;
	}
	.bubble .card {
		margin-inline: -6px;
		margin-block-end: -2px;
	}
	.card:hover {
		background: var(--bg-soft);
	}
	.card:focus-visible {
		outline: 2px solid var(--focus);
		outline-offset: 1px;
	}
	/* Its place is kept while it comes: width and height are known. */
	.card img {
		display: block;
		inline-size: 100%;
		block-size: auto;
		max-block-size: 240px;
		object-fit: cover;
		background: var(--bubble);
	}
	.card.small,
	.draft-card .card {
		display: flex;
		align-items: start;
	}
	.card.small img,
	.draft-card .card img {
		flex: none;
		inline-size: 56px;
		block-size: 56px;
		margin: var(--s2);
		margin-inline-end: 0;
		border-radius: 8px;
	}
	.about {
		display: grid;
		gap: 2px;
		min-inline-size: 0;
		padding: var(--s2) 10px;
		font-size: var(--t-small);
		line-height: 1.4;
	}
	.about > * {
		display: -webkit-box;
		overflow: hidden;
		-webkit-box-orient: vertical;
		-webkit-line-clamp: 2;
		overflow-wrap: anywhere;
	}
	.about span {
		color: var(--ink-soft);
		-webkit-line-clamp: 3;
	}
	.about .site {
		color: var(--link);
		-webkit-line-clamp: 1;
	}
	.draft-card {
		display: flex;
		align-items: start;
		gap: var(--s1);
		flex: none;
		padding: var(--s2) var(--s3) 0;
	}
	.draft-card .card {
		flex: 1;
		min-inline-size: 0;
		margin: 0;
	}
	.draft-card .about > * {
		-webkit-line-clamp: 1;
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
`;
