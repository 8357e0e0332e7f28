import { css } from "./css.ts";

/** The stage is dark in both modes: a picture needs no frame of light. */
export const callStyles = css`
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
	/* Above the caption, whose shade would swallow it, and light on any picture. */
	.muted {
		position: absolute;
		z-index: 1;
		inset-block-start: var(--s3);
		inset-inline-end: var(--s3);
		display: grid;
		place-items: center;
		inline-size: 36px;
		block-size: 36px;
		border-radius: 50%;
		background: #fff;
		color: #b3202a;
		box-shadow: 0 2px 8px rgb(0 0 0 / 0.4);
	}
	.muted .icon {
		inline-size: 20px;
		block-size: 20px;
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
	.caption .name-row {
		max-inline-size: 70%;
	}
	.caption .name {
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
		padding: var(--s2) var(--s3);
		border-radius: 12px;
		background: var(--danger-soft);
		color: var(--danger-ink);
		font-size: var(--t-note);
	}

	/* Before a call it unfolds under the header, where its button is. */
	.devices {
		position: absolute;
		z-index: 3;
		inset-block-start: 0;
		inset-inline: 0;
		display: grid;
		gap: var(--s3);
		grid-auto-rows: max-content;
		align-content: start;
		max-block-size: 100%;
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
	/* In a call it stands on the controls. */
	.devices.compact {
		inset-block: auto 76px;
		inset-inline: var(--s3);
		gap: var(--s1);
		max-inline-size: 360px;
		max-block-size: calc(100% - 84px);
		margin-inline: auto;
		padding: var(--s2) var(--s3);
		border: 0;
		border-radius: 16px;
		color: var(--ink);
		text-shadow: none;
		box-shadow: 0 8px 32px rgb(0 0 0 / 0.45);
		animation-name: unfold;
	}
	@keyframes unfold {
		from {
			opacity: 0;
			transform: translateY(8px);
		}
	}
	.compact .choice {
		grid-template-columns: 88px minmax(0, 1fr);
		align-items: center;
	}
	.compact .wide {
		min-block-size: 44px;
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
`;
