package infer

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"headgate/internal/contract"
	"headgate/internal/profile"
)

// personal guesses from name and values whether a column is about a person.
func (c *Column) personal(seen *profile.Column) {
	kind, why := kindOfName(c.Name), "its name"
	if found := kindOfValues(seen); found != "" {
		kind, why = found, "its values"
	}
	typ, _ := logicalType(c.Type)
	if kind == "" || c.Role != "" || !fitsKind(kind, typ) || typ == contract.Integer && seen.Distincts() <= maxCategories {
		return // a few whole numbers are a flag or a code, as in is_mobile
	}
	c.PII, c.Classification = kind, "confidential"
	if slices.Contains([]string{"nationalId", "account", "health"}, kind) {
		c.Classification = "restricted"
	}
	c.comment("guess: %s, from %s", kind, why)
}

// fitsKind reports whether personal values of the kind come in columns of the type.
func fitsKind(kind string, t contract.Type) bool {
	switch kind {
	case "location":
		return t == contract.Number || t == contract.String
	case "birthDate":
		return t == contract.Date || t == contract.Timestamp || t == contract.String
	case "phone", "nationalId", "account":
		return t == contract.String || t == contract.Integer
	}
	return t == contract.String
}

// nameWords are words of column names and the kind that they mean. A pair of words
// is written with an underscore.
var nameWords = map[string]string{
	"email": "email", "mail": "email", "e_mail": "email",
	"phone": "phone", "telephone": "phone", "mobile": "phone", "msisdn": "phone", "fax": "phone", "tel": "phone",
	"firstname": "name", "lastname": "name", "surname": "name", "forename": "name", "fullname": "name",
	"street": "address", "address": "address", "postcode": "address", "zip": "address", "zipcode": "address", "postal_code": "address",
	"birthday": "birthDate", "birthdate": "birthDate", "birth": "birthDate", "dob": "birthDate",
	"ssn": "nationalId", "passport": "nationalId", "national_id": "nationalId", "tax_id": "nationalId",
	"iban": "account", "bic": "account", "pan": "account", "card_number": "account", "account_number": "account",
	"ip": "ipAddress", "ipaddress": "ipAddress", "ip_address": "ipAddress", "ipv4": "ipAddress", "ipv6": "ipAddress",
	"imei": "deviceId", "idfa": "deviceId", "mac_address": "deviceId", "device_id": "deviceId", "cookie": "deviceId",
	"lat": "location", "latitude": "location", "lon": "location", "lng": "location", "longitude": "location", "gps": "location",
	"diagnosis": "health", "icd": "health",
}

// ofPersons are words that make a name the name of a person.
var ofPersons = []string{"first", "last", "full", "given", "family", "middle", "maiden", "customer", "client", "person", "user", "contact", "holder"}

// kindOfName returns what a column's name says that its values are, or "".
func kindOfName(name string) string {
	words := split(name)
	for i := range words {
		if i+1 < len(words) {
			if kind := nameWords[words[i]+"_"+words[i+1]]; kind != "" {
				return kind
			}
		}
	}
	for _, w := range words {
		if kind := nameWords[w]; kind != "" {
			return kind
		}
	}
	i := slices.Index(words, "name")
	if i < 0 {
		return ""
	}
	for _, w := range slices.Delete(slices.Clone(words), i, i+1) {
		if !slices.Contains(ofPersons, w) {
			return ""
		}
	}
	return "name"
}

// split returns the words of a name, in small letters: birthDate is birth, date.
func split(name string) []string {
	var b strings.Builder
	small := false
	for _, r := range name {
		if unicode.IsUpper(r) && small {
			b.WriteByte(' ')
		}
		small = unicode.IsLower(r)
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		} else {
			b.WriteByte(' ')
		}
	}
	return strings.Fields(b.String())
}

// kindOfValues returns what nine in ten of the sampled texts look like, or "".
func kindOfValues(seen *profile.Column) string {
	for _, shape := range []struct {
		kind string
		is   func(string) bool
	}{{"email", isEmail}, {"account", isIBAN}, {"ipAddress", isIP}, {"phone", isPhone}} {
		if mostly(seen, shape.is) {
			return shape.kind
		}
	}
	return ""
}

const sample = 1000 // texts that are looked at

// mostly reports whether nine in ten of the different texts of a sample are so.
func mostly(seen *profile.Column, is func(string) bool) bool {
	if seen.Kind != profile.Text || seen.Restricted {
		return false
	}
	n, yes := 0, 0
	for _, v := range seen.Top(sample) {
		if v.Value != "" {
			n++
		}
		if is(v.Value) {
			yes++
		}
	}
	return n > 0 && 10*yes >= 9*n
}

var (
	emailShape = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$`)
	phoneShape = regexp.MustCompile(`^(?:\+|00|\(?0)[0-9][0-9 ()/.-]{5,20}$`)
	ibanShape  = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$`)
)

// shapes are what texts must look like before their format is guessed: by the standard, a@b
// is an address and a:b a URI.
var shapes = map[string]*regexp.Regexp{"email": emailShape, "uri": regexp.MustCompile(`^[a-z][a-z0-9+.-]*://\S+$`)}

func isEmail(s string) bool { return emailShape.MatchString(s) }

// isPhone wants more than digits: a number alone is more often a code.
func isPhone(s string) bool {
	return phoneShape.MatchString(s) && strings.ContainsAny(s, "+ ()/-")
}

func isIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// isIBAN checks the shape and the two check digits of an account number.
//
// Source: ISO 13616, with the modulus 97-10 of ISO 7064.
func isIBAN(s string) bool {
	s = strings.ReplaceAll(s, " ", "")
	if !ibanShape.MatchString(s) {
		return false
	}
	rest := 0
	for _, c := range s[4:] + s[:4] {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

// looksLike returns what tells texts of a format from others: the check that rows will have
// to pass, and the shape, so that nothing is guessed that the contract would refuse.
func looksLike(format string) func(text string) bool {
	shape := shapes[format]
	return func(text string) bool {
		return (shape == nil || shape.MatchString(text)) && contract.HasFormat(text, format)
	}
}

// textFormat guesses the format of texts from a sample. The caller counts the rows
// that do not have it.
func (c *Column) textFormat(seen *profile.Column) {
	if typ, options := logicalType(c.Type); typ != contract.String || len(options) > 0 || c.Valid != nil {
		return
	}
	for _, format := range []string{"email", "uuid", "uri", "ipv4", "ipv6"} {
		if mostly(seen, looksLike(format)) {
			c.Options = append(c.Options, Option{"format", format})
			return
		}
	}
}
