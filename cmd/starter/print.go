package main

import "headgate/internal/report/page"

// printJSON prints an answer for programs: one value, indented, in the order of its fields,
// with every digit.
func printJSON(e *env, v any) error {
	text, err := page.JSON(v)
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(text)
	return err
}
