package preview

import (
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

// page is what the head of a page says about it. Of each thing the first that is not empty
// counts. It is text of strangers, not cleaned.
type page struct {
	title, description map[source]string
	picture            map[source]string // as the page refers to it
}

// source is where something stands in a page, best first.
type source int

const (
	openGraph   source = iota // https://ogp.me
	twitterCard               // https://developer.x.com/en/docs/x-for-websites/cards
	plainHTML                 // <title>, <meta name="description">, <link rel="image_src">
	icon                      // <link rel="apple-touch-icon">, <link rel="icon">
	sources
)

// best returns what the best source says.
func best(of map[source]string) string {
	for s := range sources {
		if of[s] != "" {
			return of[s]
		}
	}
	return ""
}

// readPage reads the head of a page. It reads tokens, in order and once; nothing in the page is run, and
// nothing that it refers to is asked for. What is no HTML is a page that says nothing.
func readPage(r io.Reader, contentType string) (page, error) {
	p := page{title: map[source]string{}, description: map[source]string{}, picture: map[source]string{}}
	decoded, err := charset.NewReader(r, contentType)
	if err != nil {
		return p, err
	}
	tokens := html.NewTokenizer(decoded)
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			if err := tokens.Err(); err != io.EOF {
				return p, err
			}
			return p, nil
		case html.EndTagToken:
			if name, _ := tokens.TagName(); atom.Lookup(name) == atom.Head {
				return p, nil
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			switch token.DataAtom {
			case atom.Body:
				return p, nil
			case atom.Title:
				if tokens.Next() == html.TextToken {
					put(p.title, plainHTML, tokens.Token().Data)
				}
			case atom.Meta:
				p.meta(token)
			case atom.Link:
				p.link(token)
			}
		}
	}
}

func put(of map[source]string, from source, text string) {
	if text = strings.TrimSpace(text); of[from] == "" {
		of[from] = text
	}
}

func (p page) meta(token html.Token) {
	name := attribute(token, "property")
	if name == "" {
		name = attribute(token, "name")
	}
	content := attribute(token, "content")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "og:title":
		put(p.title, openGraph, content)
	case "og:description":
		put(p.description, openGraph, content)
	case "og:image", "og:image:url", "og:image:secure_url":
		put(p.picture, openGraph, content)
	case "twitter:title":
		put(p.title, twitterCard, content)
	case "twitter:description":
		put(p.description, twitterCard, content)
	case "twitter:image", "twitter:image:src":
		put(p.picture, twitterCard, content)
	case "description":
		put(p.description, plainHTML, content)
	}
}

func (p page) link(token html.Token) {
	for rel := range strings.FieldsSeq(strings.ToLower(attribute(token, "rel"))) {
		switch rel {
		case "image_src":
			put(p.picture, plainHTML, attribute(token, "href"))
		case "apple-touch-icon", "apple-touch-icon-precomposed", "icon":
			put(p.picture, icon, attribute(token, "href"))
		}
	}
}

func attribute(token html.Token, key string) string {
	for _, a := range token.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}
