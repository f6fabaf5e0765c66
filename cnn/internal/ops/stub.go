package ops

var convOps, poolOps, normOps, resizeOps []Op
