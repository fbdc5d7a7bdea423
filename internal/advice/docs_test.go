package advice

import "strings"

// headings are those of docs/errors.md, in the order of chapters.
var headings = [len(chapters)]string{
	"Programs", "Working directory", "Bundles, config.json and the root file system", "Containers and their state", "Files and sockets", "Hooks", "Mounts",
	"Cgroups and limits", "Namespaces and ids", "The process, devices, sysctls and labels", "The machine",
}

const preface = `# Errors, and what to do next

An error of minirt is one line: verb, container, what, cause, and the place in config.json if it has one. Where there is one thing to do about it, a second line says so:

` + "```" + `
minirt: run web: exec: "/bin/script": stat /bin/script: no such file or directory (config.json:131:4)
minirt: advice: the first line of /bin/script asks for /usr/bin/nosuch, which is not in the root file system: put it there, or name another interpreter
` + "```" + `

The advice is for people. It goes to standard error only, and is left out where an engine reads: with ` + "`--log FILE`, with `--log-format json`, and with `--log-level error`" + `. minirt looks at the host to find it (the root file system, sysctls, mounts), after a failure only, and changes nothing.

Below is all that it knows, made from the table in internal/advice: what has happened, and the line that follows. … stands for what minirt fills in. The first that fits is told.
`

// document is docs/errors.md.
func document() string {
	var b strings.Builder
	b.WriteString(preface)
	for i, chapter := range chapters {
		b.WriteString("\n## " + headings[i] + "\n\n| what has happened | advice | name |\n|---|---|---|\n")
		for _, r := range chapter {
			b.WriteString("| " + cell(r.when) + " | " + cell(strings.NewReplacer("{}", "…", "{text}", "…").Replace(r.text)) + " | " + r.name + " |\n")
		}
	}
	return b.String()
}

// cell is a text in a table of Markdown.
func cell(text string) string {
	for _, c := range [...]string{"|", "*", "_", "<", "`"} {
		text = strings.ReplaceAll(text, c, `\`+c)
	}
	return text
}
