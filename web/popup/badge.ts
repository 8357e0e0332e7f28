/** Shows in the page's title how many messages are unread. It belongs to the page: the last popup to ask decides. */

/** "(3) Title", and the bare title again at zero. Keeps what the site changes in between. */
export function titleWithCount(title: string, unread: number): string {
	const bare = title.replace(/^\(\d+\+?\) /, "");
	return unread > 0 ? `(${unread > 99 ? "99+" : unread}) ${bare}` : bare;
}
