/** All conversations, latest first. */
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Conversation } from "../../sdk/index.ts";
import type { Controller } from "../controller.ts";
import { shortLabel } from "../format.ts";
import { icon } from "../icons.ts";
import { avatar } from "./avatar.ts";
import { callLabel } from "./bubble.ts";

export function list(c: Controller): TemplateResult {
	const { client, words } = c;
	const conversations = client?.conversations.list() ?? [];
	const { destination } = c.options;
	const missing = destination && !client?.conversations.direct(destination) ? destination : undefined;
	const more = (event: Event) => {
		const box = event.currentTarget as HTMLElement;
		if (client?.conversations.more && box.scrollHeight - box.scrollTop - box.clientHeight < 200)
			void client.conversations.loadMore().catch(() => {});
	};
	return html`<div class="list" @scroll=${more}>
		${notificationHint(c)}
		${
			conversations.length === 0 && !missing
				? html`<div class="empty">${icon("chats", "big")}
						<p class="lead">${words.say("noConversations")}</p>
						<p>${words.say("noConversationsHint")}</p></div>`
				: html`<ul>
						${missing ? html`<li>${stranger(c, missing)}</li>` : nothing}
						${repeat(
							conversations,
							(conversation) => conversation.id,
							(conversation) => html`<li>${entry(c, conversation)}</li>`,
						)}
					</ul>`
		}
	</div>`;
}

/** The destination, before the first message. */
function stranger(c: Controller, to: string): TemplateResult {
	const face = c.people.face({ to });
	return html`<button class="conversation" @click=${() => c.showConversation({ to })}>
		${avatar(face, "medium")}
		<span class="summary"><span class="name"><bdi>${face.name}</bdi></span><span class="preview">${c.words.say("placeholder")}</span></span>
	</button>`;
}

function entry(c: Controller, conversation: Conversation): TemplateResult {
	const { words } = c;
	const face = c.people.faceOf(conversation);
	const { last, unread } = conversation;
	return html`<button
		class="conversation ${unread > 0 ? "unread" : ""}"
		@click=${() => c.showConversation({ conversation: conversation.id })}
	>
		${avatar(face, "medium", c.people.presence(face)?.state)}
		<span class="summary">
			<span class="name"><bdi>${face.name}</bdi></span>
			<span class="preview"><bdi>${preview(c, conversation)}</bdi></span>
		</span>
		<span class="aside">
			${last ? html`<time datetime=${new Date(last.sent_at).toISOString()}>${shortLabel(last.sent_at, Date.now(), words)}</time>` : nothing}
			${unread > 0 ? html`<span class="badge" aria-label=${words.count("unread", unread)}>${unread > 99 ? "99+" : unread}</span>` : nothing}
		</span>
	</button>`;
}

function preview(c: Controller, { last }: Conversation): string {
	if (!last) return "";
	if (last.kind === "call") return callLabel(last, last.sender === c.client?.user?.id, c.words).title;
	const mine = last.sender === c.client?.user?.id;
	return mine ? `${c.words.say("you")}: ${last.text ?? ""}` : (last.text ?? "");
}

const asked = "carillon.notifications asked";

/** Offered once, here and not at the door: a browser's own question cannot be taken back. */
function notificationHint(c: Controller): TemplateResult | typeof nothing {
	if (c.options.notifications === false || typeof Notification === "undefined") return nothing;
	if (Notification.permission !== "default" || remembered()) return nothing;
	const ask = () => {
		remember();
		void Notification.requestPermission().finally(() => c.changed());
	};
	const dismiss = () => {
		remember();
		c.changed();
	};
	return html`<div class="hint">
		<button class="button text" @click=${ask}>${icon("bell")} ${c.words.say("allowNotifications")}</button>
		<button class="button plain" aria-label=${c.words.say("dismiss")} @click=${dismiss}>${icon("close")}</button>
	</div>`;
}

function remembered(): boolean {
	try {
		return localStorage.getItem(asked) !== null;
	} catch {
		return true; // it could not be remembered, so it is not asked at all
	}
}

function remember(): void {
	try {
		localStorage.setItem(asked, "1");
	} catch {
		// Storage is blocked.
	}
}
