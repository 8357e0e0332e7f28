/** Narrow strips: connection and notices. */
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { PanelActions } from "../actions.ts";
import { icon } from "../icons.ts";
import type { Screen } from "../screen.ts";
import type { Notice } from "../state.ts";
import type { Text, Words } from "../strings/index.ts";

export function connectionBar(words: Words, text: Text | undefined): TemplateResult | typeof nothing {
	return text ? html`<p class="strip" aria-live="polite">${icon("cloud")} ${words.say(text)}</p>` : nothing;
}

/** What became of a call, what went wrong, and what the call lacks. Each can be put away. */
export function notices({ notice, problem, words }: Screen, actions: PanelActions): TemplateResult {
	return html`${
		notice ? noticeBar(words, notice.kind, notice.text, () => actions.dismiss(notice)) : nothing
	}${
		problem ? noticeBar(words, "error", problem.text, () => actions.dismissProblem(problem.cause)) : nothing
	}`;
}

function noticeBar(words: Words, kind: Notice["kind"], text: string, dismiss: () => void): TemplateResult {
	return html`<div class="notice ${kind}">
		<p role=${kind === "error" ? "alert" : "status"}>${text}</p>
		<button class="button plain" aria-label=${words.say("dismiss")} @click=${dismiss}>${icon("close")}</button>
	</div>`;
}

/** Beside the round button while the panel is closed: a call, or what became of one. */
export function floating(
	screen: Screen,
	actions: PanelActions,
	callBar: unknown,
): TemplateResult | typeof nothing {
	if (callBar === nothing && !screen.notice) return nothing;
	return html`<section class="floating" aria-label=${screen.words.say("callRegion")}>${notices(screen, actions)} ${callBar}</section>`;
}
