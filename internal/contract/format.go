package contract

import (
	"net/netip"
	"net/url"
	"strings"
)

var stringFormats = []string{"email", "uuid", "uri", "hostname", "ipv4", "ipv6", "password", "byte", "binary"}

// formatChecks are the string formats that say something about a text.
var formatChecks = map[string]func(string) bool{
	"email":    isEmail,
	"uuid":     isUUID,
	"uri":      isURI,
	"hostname": isHostname,
	"ipv4":     isIPv4,
	"ipv6":     isIPv6,
	"byte":     isBase64,
}

// HasFormat reports whether a text has a format of the standard's, as rows are checked for
// it. Every text has a format that says nothing: password, binary and unknown ones.
func HasFormat(text, format string) bool {
	is, ok := formatChecks[format]
	return !ok || is(text)
}

// isEmail accepts local@host with the characters of RFC 5321's Dot-string. It
// does not accept quoted local parts, comments, or addresses in brackets.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 {
		return false
	}
	for i, c := range []byte(s[:at]) {
		switch {
		case c == '.' && (i == 0 || i == at-1 || s[i-1] == '.'):
			return false
		case c == '.' || alphanumeric(c) || strings.IndexByte("!#$%&'*+/=?^_`{|}~-", c) >= 0 || c >= 0x80:
		default:
			return false
		}
	}
	return isHostname(s[at+1:])
}

// isUUID accepts 8-4-4-4-12 hexadecimal digits of either case, of any version.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return false
			}
		}
	}
	return true
}

// isURI accepts an absolute URI of RFC 3986.
func isURI(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			return false
		}
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Path != "" || u.Opaque != "")
}

// isHostname accepts the labels of RFC 1123, 253 characters at most.
func isHostname(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if c != '-' && !alphanumeric(c) {
				return false
			}
		}
	}
	return true
}

func isIPv4(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}

func isIPv6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6() && a.Zone() == ""
}

// isBase64 accepts the standard alphabet of RFC 4648 with padding.
func isBase64(s string) bool {
	if len(s)%4 != 0 {
		return false
	}
	body := strings.TrimSuffix(strings.TrimSuffix(s, "="), "=")
	for _, c := range []byte(body) {
		if !alphanumeric(c) && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
