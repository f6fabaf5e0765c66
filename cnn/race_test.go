//go:build race

package cnn

const slow = 10 // how much slower things are
