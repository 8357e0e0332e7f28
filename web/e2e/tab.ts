import { expect, type Page } from "@playwright/test";
import type { InPage, Scripted } from "./media.ts";

/** How long something may take to appear. */
export const appearMs = 20_000;

/** What a journey needs of one open page, in whichever browser. Things are found by role and exact accessible name. */
export interface Tab extends Scripted {
	reload(): Promise<void>;
	/** Clicks the button of this name, once it can be clicked. */
	click(name: string): Promise<void>;
	/** Writes a message and sends it with Enter. */
	write(text: string): Promise<void>;
	/** Waits until it is visible. */
	shows(role: Role, name: string): Promise<void>;
	/** Waits until nothing visible has this role and name. */
	hides(role: Role, name: string): Promise<void>;
}

export type Role = "alertdialog" | "button" | "img" | "log" | "textbox";

export class ChromiumTab implements Tab {
	readonly #page: Page;

	constructor(page: Page) {
		this.#page = page;
	}

	evaluate<Result, Argument = undefined>(
		inPage: InPage<Result, Argument>,
		argument?: Argument,
	): Promise<Result> {
		return this.#page.evaluate(inPage as InPage<Result, unknown>, argument);
	}

	bringToFront(): Promise<void> {
		return this.#page.bringToFront();
	}

	async reload(): Promise<void> {
		await this.#page.reload();
	}

	async click(name: string): Promise<void> {
		await this.#page.getByRole("button", { name, exact: true }).click();
	}

	async write(text: string): Promise<void> {
		const composer = this.#page.getByRole("textbox", { name: "Message", exact: true });
		await composer.fill(text);
		await composer.press("Enter");
	}

	async shows(role: Role, name: string): Promise<void> {
		await expect(this.#page.getByRole(role, { name, exact: true })).toBeVisible();
	}

	async hides(role: Role, name: string): Promise<void> {
		await expect(this.#page.getByRole(role, { name, exact: true })).toBeHidden();
	}
}

/** The text of all that has this role in the popup and is visible. */
export function visibleText(tab: Scripted, role: "status" | "log"): Promise<string> {
	return tab.evaluate((wanted) => {
		const root = document.querySelector("carillon-popup")?.shadowRoot;
		const found = [...(root?.querySelectorAll<HTMLElement>(`[role=${wanted}]`) ?? [])];
		return found
			.filter((element) => element.checkVisibility())
			.map((element) => element.innerText)
			.join("\n");
	}, role);
}
