// Package asm holds, as macros, the instructions that the assembler does not know and
// what several packages repeat: headers that their assembly includes.
//
// The go command does not see what lies in another folder. Therefore these packages
// import this one, and it embeds the headers: when one changes, they are built anew.
package asm

import _ "embed"

//go:embed neon_arm64.h
var _ string

//go:embed bf16_amd64.h
var _ string

//go:embed avx_amd64.h
var _ string
