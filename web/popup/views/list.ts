/** All conversations, latest first, and the groups that one is asked to join. */

import { repeat } from "lit/directives/repeat.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { PanelActions } from "../actions.ts";
import { shortLabel } from "../format.ts";
import { icon } from "../icons.ts";
import type { Entry, Invitation, ListPanel, Screen } from "../screen.ts";
import { spoken } from "../spoken.ts";
import type { Words } from "../strings/index.ts";
import { listStyles } from "../styles/list.ts";
import { avatar } from "./avatar.ts";
import { callLabel } from "./bubble.ts";
import { nameView } from "./name.ts";
import { View } from "./view.ts";

/** What there is to see of it. */
export type ListScreen = Pick<Screen, "words" | "now">;
export type ListActions = Pick<
	PanelActions,
	"more" | "join" | "declineInvitation" | "showConversation" | "askForNotifications"
>;

export class ConversationsView extends View {
	static override properties = {
		screen: { attribute: false },
		panel: { attribute: false },
		actions: { attribute: false },
	};

	declare screen: ListScreen;
	declare panel: ListPanel;
	declare actions: ListActions;

	protected override readonly sheets = [listStyles];

	protected override render(): TemplateResult {
		return list(this.screen, this.panel, this.actions);
	}
}

export function list(screen: ListScreen, panel: ListPanel, actions: ListActions): TemplateResult {
	const { words } = screen;
	const scrolled = (event: Event) => {
		const box = event.currentTarget as HTMLElement;
		if (panel.more && box.scrollHeight - box.scrollTop - box.clientHeight < 200) actions.more();
	};
	return html`<div class="list" @scroll=${scrolled}>
		${panel.offerNotifications ? notificationOffer(words, actions) : nothing}
		${panel.invitations.map((invitation) => invitationView(words, invitation, actions))}
		${
			panel.entries.length === 0 && panel.invitations.length === 0
				? html`<div class="empty">${icon("chats", "big")}
						<p class="lead">${words.say("noConversations")}</p>
						<p>${words.say("noConversationsHint")}</p></div>`
				: html`<ul>
						${repeat(
							panel.entries,
							(entry) => entry.key,
							(entry) => html`<li>${entryView(screen, entry, actions)}</li>`,
						)}
					</ul>`
		}
	</div>`;
}

function invitationView(
	words: Words,
	{ conversation, group, by }: Invitation,
	actions: ListActions,
): TemplateResult {
	const text = by ? words.say("invites", { name: by, group }) : words.say("invited", { group });
	return html`<div class="invitation" role="group" aria-label=${text}>
		${avatar({ name: group }, "medium")}
		<span class="summary">
			<span dir="auto">${text}</span>
			<span class="answers">
				<button class="button go" @click=${() => actions.join(conversation)}>${words.say("join")}</button>
				<button class="button text" @click=${() => actions.declineInvitation(conversation)}>${words.say("decline")}</button>
			</span>
		</span>
	</div>`;
}

function entryView({ words, now }: ListScreen, entry: Entry, actions: ListActions): TemplateResult {
	const { face, presence, last, unread } = entry;
	return html`<button
		class="conversation ${unread > 0 ? "unread" : ""}"
		@click=${() => actions.showConversation(entry.ref)}
	>
		${avatar(face, "medium", presence?.state)}
		<span class="summary">
			${nameView(words, face)}
			<span class="preview"><bdi>${preview(words, entry)}</bdi></span>
		</span>
		<span class="aside">
			${last ? html`<time datetime=${new Date(last.sent_at).toISOString()}>${shortLabel(last.sent_at, now, words)}</time>` : nothing}
			${unread > 0 ? html`<span class="badge" aria-label=${words.count("unread", unread)}>${unread > 99 ? "99+" : unread}</span>` : nothing}
		</span>
	</button>`;
}

function preview(words: Words, { last, mine }: Entry): string {
	if (!last) return words.say("placeholder");
	if (last.kind === "call") return callLabel(last, mine, words).title;
	const { text } = spoken(last, words);
	return mine ? words.say("said", { name: words.say("you"), text }) : text;
}

/** Offered here and not at the first opening: most visitors have nothing to be notified of yet. */
function notificationOffer(words: Words, actions: ListActions): TemplateResult {
	return html`<div class="hint">
		<button class="button text" @click=${() => actions.askForNotifications(true)}>${icon("bell")} ${words.say("allowNotifications")}</button>
		<button class="button plain" aria-label=${words.say("dismiss")} @click=${() => actions.askForNotifications(false)}>${icon("close")}</button>
	</div>`;
}
