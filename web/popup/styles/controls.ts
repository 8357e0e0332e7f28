import { css } from "./css.ts";

/** Buttons, avatars, badges: the same wherever they stand. */
export const controlStyles = css`
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
`;
