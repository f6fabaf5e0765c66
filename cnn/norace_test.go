//go:build !race

package cnn

const slow = 1 // how much slower things are
