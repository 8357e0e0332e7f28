/**
 * The demo's two pages: `/` asks for a name, `/demo` is a shop with the popup. Each tab has a user of its own, so Alice and Bob
 * can talk to each other in one browser. The demo exists only while the server signs anyone in.
 */
import { type Identity, readIdentity, signIn, storeIdentity } from "./identity.ts";

const potter = "bob";

const byId = <T extends HTMLElement>(id: string) => document.getElementById(id) as T | null;

if (byId("sign-in")) void signInPage();
else void shopPage();

async function signInPage(): Promise<void> {
	const demo = await fetch("/demo/token").then(
		(answer) => answer.ok,
		() => false,
	);
	const section = byId(demo ? "sign-in" : "embed");
	const snippet = byId("snippet");
	if (snippet)
		snippet.textContent = `<script async\n  src="${location.origin}/popup.js"\n  data-token="…"\n  data-destination="support"\n  data-name="Support"></script>`;
	if (section) section.hidden = false;
	const name = byId<HTMLInputElement>("name");
	name?.focus();
	byId("form")?.addEventListener("submit", async (event) => {
		event.preventDefault();
		const problem = byId("problem");
		if (!problem || !name) return;
		problem.hidden = true;
		try {
			const identity = await signIn(name.value.trim());
			storeIdentity(identity);
			location.assign(demoURL(identity.user.id, identity.user.id === potter ? undefined : potter));
		} catch (error) {
			problem.textContent = error instanceof Error ? error.message : "That did not work. Try again.";
			problem.hidden = false;
		}
	});
}

function demoURL(user: string, other?: string): string {
	const query = new URLSearchParams({ user, ...(other && { with: other }) });
	return `/demo?${query}`;
}

async function shopPage(): Promise<void> {
	const query = new URLSearchParams(location.search);
	const wanted = query.get("user") ?? undefined;
	const kept = readIdentity();
	const identity =
		kept && (!wanted || kept.user.id === wanted)
			? kept
			: wanted
				? await signIn(wanted).catch(failed)
				: undefined;
	if (!identity) {
		if (!wanted) location.replace("/");
		return;
	}
	storeIdentity(identity);
	const destination = query.get("with") ?? (identity.user.id === potter ? undefined : potter);
	label(identity, destination);
	putPopup(identity, destination, query);
}

function failed(error: unknown): undefined {
	const line = byId("identity");
	if (line) line.textContent = error instanceof Error ? error.message : "Signing in did not work.";
	return undefined;
}

function label({ user }: Identity, destination: string | undefined): void {
	const line = byId("identity");
	if (line) {
		const name = document.createElement("b");
		name.textContent = user.name;
		name.dir = "auto";
		line.replaceChildren("You are ", name);
	}
	const tab = byId<HTMLAnchorElement>("another-tab");
	if (tab) tab.href = demoURL(user.id, destination);
	const other = byId<HTMLAnchorElement>("other-side");
	if (other && destination) {
		other.textContent = `Open a tab as ${capitalized(destination)}`;
		other.href = demoURL(destination, user.id);
		other.hidden = false;
	}
	byId("someone-else")?.addEventListener("click", () => storeIdentity(undefined));
	byId("ask")?.addEventListener("click", () => window.carillon?.("open"));
}

/** As a site does it: the queue stub first, then the script. */
function putPopup(identity: Identity, destination: string | undefined, query: URLSearchParams): void {
	const mode = query.get("theme");
	const forced = mode === "dark" || mode === "light" ? mode : undefined;
	if (forced) document.documentElement.dataset.theme = forced;
	const options = {
		getToken: async (_signal: AbortSignal, stale?: string) => {
			const kept = readIdentity();
			if (kept?.user.id === identity.user.id && kept.token !== stale) return kept.token;
			const fresh = await signIn(identity.user.id);
			storeIdentity(fresh);
			return fresh.token;
		},
		...(destination && { destination, name: capitalized(destination) }),
		...(query.get("lang") && { locale: query.get("lang") }),
		theme: { mode: forced ?? "auto", colours: shopColours() },
	};
	const calls: unknown[][] = [["boot", options]];
	window.carillon = Object.assign((...call: unknown[]) => void calls.push(call), {
		q: calls,
	}) as unknown as NonNullable<Window["carillon"]>;
	const script = document.createElement("script");
	script.async = true;
	script.src = "/popup.js";
	document.head.append(script);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
		window.carillon?.("setTheme", { colours: shopColours() }),
	);
}

/** The popup wears what the page wears, in either of its modes. */
function shopColours(): { accent: string; onAccent: string } {
	const style = getComputedStyle(document.documentElement);
	return {
		accent: style.getPropertyValue("--accent").trim(),
		onAccent: style.getPropertyValue("--on-accent").trim(),
	};
}

function capitalized(id: string): string {
	return id.charAt(0).toLocaleUpperCase() + id.slice(1);
}
