package signaling

import (
	"context"

	"carillon/files"
	"carillon/refusal"
	"carillon/wire"
)

// Files makes addresses of files. Package files implements it.
type Files interface {
	// URLs returns those of ids that the user may have, see [files.Server.URLs].
	URLs(ctx context.Context, user string, ids, seen []string, own bool) (map[string]files.URL, error)
}

// mostFiles is of how many files a tab asks for the addresses at once.
const mostFiles = 100

func (c *connection) fileURLs(ctx context.Context, p wire.FileURLs) (none wire.FileURLList, _ error) {
	if len(p.Files) > mostFiles {
		return none, refusal.New(refusal.TooLarge, "Ask for the addresses of at most %d files at once.", mostFiles)
	}
	if err := c.spend(len(p.Files)); err != nil {
		return none, err
	}
	list := wire.FileURLList{URLs: map[string]wire.FileURL{}}
	if c.server.files == nil || len(p.Files) == 0 {
		return list, nil
	}
	seen, err := c.chat.SeesFiles(ctx, c.tab.User, p.Files)
	if err != nil {
		return none, err
	}
	urls, err := c.server.files.URLs(ctx, c.tab.User, p.Files, seen, !c.scope.Narrowed())
	for id, u := range urls {
		list.URLs[id] = wire.FileURL(u)
	}
	return list, err
}
