package chat

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"

	"carillon/refusal"
)

const (
	maxFields = 50
	maxTitle  = 256 // bytes, also of a field's name and of a place's
	maxLive   = 8 * 60 * 60 * 1000
)

// content is what a message holds, as it is stored.
type content struct {
	text string
	data json.RawMessage
	file string // the id of the file that it names; its data is made of that
}

// contentOf checks what a client sends as a message of a kind, at a time in unix ms.
func (c Config) contentOf(kind Kind, text string, data json.RawMessage, now int64) (content, error) {
	clean, err := cleanJSON(data, c.MessageBytes)
	if err != nil {
		return content{}, err
	}
	switch kind {
	case Text:
		if clean != nil {
			return content{}, refusal.New(refusal.BadRequest, "A text message has no data.")
		}
		text, err = cleanText(text, c.MessageBytes)
		return content{text: text}, err
	case Rich:
		return c.rich(text, clean)
	case Location:
		return c.location(text, clean, now)
	case Custom:
		return c.custom(text, clean)
	case File, Voice, VideoNote:
		return c.withFile(text, clean)
	}
	return content{}, refusal.New(refusal.BadRequest, "Messages of kind %q cannot be sent.", clip(string(kind))) // Call and System are the server's
}

func (c Config) rich(text string, data json.RawMessage) (content, error) {
	var d RichData
	if err := strictly(data, &d); err != nil {
		return content{}, err
	}
	if len(d.Fields) > maxFields {
		return content{}, refusal.New(refusal.TooLarge, "A rich message has at most %d fields.", maxFields)
	}
	var err error
	if d.Title, err = cleanName(d.Title, maxTitle); err != nil {
		return content{}, err
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		if f.Name, err = cleanName(f.Name, maxTitle); err != nil {
			return content{}, err
		}
		if f.Value, err = optionalText(f.Value, c.MessageBytes); err != nil {
			return content{}, err
		}
	}
	if text, err = optionalText(text, c.MessageBytes); err != nil {
		return content{}, err
	}
	if text == "" && d.Title == "" && len(d.Fields) == 0 {
		return content{}, refusal.New(refusal.BadRequest, "A rich message has a title, a text or a field.")
	}
	return c.encoded(text, d)
}

func (c Config) location(text string, data json.RawMessage, now int64) (content, error) {
	var d LocationData
	if err := strictly(data, &d); err != nil {
		return content{}, err
	}
	// JSON has no infinity and nothing that is not a number.
	if math.Abs(d.Latitude) > 90 || math.Abs(d.Longitude) > 180 || d.Accuracy < 0 {
		return content{}, refusal.New(refusal.BadRequest, "A location has a latitude from -90 to 90, a longitude from -180 to 180, and an accuracy in metres.")
	}
	if d.LiveUntil != 0 && (d.LiveUntil < now || d.LiveUntil > now+maxLive) {
		return content{}, refusal.New(refusal.BadRequest, "A live location ends within eight hours.")
	}
	var err error
	if d.Name, err = cleanName(d.Name, maxTitle); err != nil {
		return content{}, err
	}
	if text, err = optionalText(text, c.MessageBytes); err != nil {
		return content{}, err
	}
	return c.encoded(text, d)
}

func (c Config) custom(text string, data json.RawMessage) (content, error) {
	var d CustomData
	if err := strictly(data, &d); err != nil {
		return content{}, err
	}
	if len(d.Type) > maxKey || !printable(d.Type) {
		return content{}, refusal.New(refusal.BadRequest, "A custom message has a type of 1 to %d bytes of printable characters.", maxKey)
	}
	text, err := optionalText(text, c.MessageBytes)
	if err != nil {
		return content{}, err
	}
	return c.encoded(text, d)
}

// withFile takes the id of a file; all else about it is read from the file itself. The text is its caption.
func (c Config) withFile(text string, data json.RawMessage) (content, error) {
	var named struct {
		File string `json:"file"`
	}
	if err := json.Unmarshal(orEmpty(data), &named); err != nil || !isID(named.File) {
		return content{}, refusal.New(refusal.BadRequest, "A message with a file names it in data.file.")
	}
	text, err := optionalText(text, c.MessageBytes)
	return content{text: text, file: named.File}, err
}

func (c Config) encoded(text string, data any) (content, error) {
	b, err := encode(data)
	if err != nil {
		return content{}, err
	}
	if n := len(text) + len(b); n > c.MessageBytes {
		return content{}, refusal.New(refusal.TooLarge, "The message has %d bytes; %d are allowed.", n, c.MessageBytes)
	}
	return content{text: text, data: b}, nil
}

// optionalText is cleanText for what may be left out.
func optionalText(text string, limit int) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", nil
	}
	return cleanText(text, limit)
}

// strictly decodes what a client sends, which has no other fields.
func strictly(data json.RawMessage, into any) error {
	d := json.NewDecoder(bytes.NewReader(orEmpty(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return refusal.New(refusal.BadRequest, "The data is not what a message of this kind has.")
	}
	return nil
}

func orEmpty(data json.RawMessage) json.RawMessage {
	if data == nil {
		return json.RawMessage("{}")
	}
	return data
}
