import { css } from "./css.ts";

/**
 * Pairs of text and ground have a contrast of 4.5:1 or more in both modes. What is coloured but is not the accent itself is mixed
 * from it, so a site sets one colour and everything follows.
 */
export const tokens = css`
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
`;
