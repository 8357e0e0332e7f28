/** Whom I added, wrote to or called: who may ring me where the server lets only contacts. The server keeps them. */
import type { TabSocket } from "./socket.ts";
import type { Contacts } from "./types.ts";
import type { ContactPage, User } from "./wire.gen.ts";

export class ContactList implements Contacts {
	readonly #socket: TabSocket;

	constructor(socket: TabSocket) {
		this.#socket = socket;
	}

	async list(signal?: AbortSignal): Promise<readonly User[]> {
		const all: User[] = [];
		let after: string | undefined;
		do {
			const page: ContactPage = await this.#socket.requestUntilAnswered(
				"contact.list",
				after === undefined ? {} : { after },
				signal,
			);
			all.push(...page.contacts);
			after = page.next;
		} while (after);
		return all;
	}

	async add(user: string, signal?: AbortSignal): Promise<void> {
		await this.#socket.request("contact.add", { user }, signal);
	}

	async remove(user: string, signal?: AbortSignal): Promise<void> {
		await this.#socket.request("contact.remove", { user }, signal);
	}
}
