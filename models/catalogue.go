package models

// CNN is a pretrained ONNX classifier whose preprocessing is known. A file is
// recognised by its SHA-256 alone, whatever its name.
type CNN struct {
	Name    string
	Bytes   int64
	SHA256  string // lower-case hex
	Input   Input
	Licence string
	Source  string // where it comes from
}

// Input is the preprocessing that a CNN was trained with: an RGB picture, its
// values scaled to 0..1, then (value − Mean) / Std per channel.
type Input struct {
	Mean, Std [3]float32 // of R, G, B
	BGR       bool       // the channels are handed over in the order B, G, R
}

var (
	// torchvision is the preprocessing of torchvision's and most of the Model
	// Zoo's classifiers.
	torchvision = Input{
		Mean: [3]float32{0.485, 0.456, 0.406},
		Std:  [3]float32{0.229, 0.224, 0.225},
	}
	// lite is (value − 127) / 128 on values 0..255.
	lite = Input{
		Mean: [3]float32{127. / 255, 127. / 255, 127. / 255},
		Std:  [3]float32{128. / 255, 128. / 255, 128. / 255},
	}
	// caffe subtracts the mean colour on values 0..255 and does not scale.
	caffe = Input{
		Mean: [3]float32{123.68 / 255, 116.779 / 255, 103.939 / 255},
		Std:  [3]float32{1. / 255, 1. / 255, 1. / 255},
		BGR:  true,
	}
)

// DefaultInput is the preprocessing of a CNN that nothing else is known of.
var DefaultInput = torchvision

const (
	zoo = "ONNX Model Zoo"
	tpu = "github.com/tensorflow/tpu (EfficientNet-Lite)"
)

// Catalogue lists the known CNNs by name. Sizes and hashes of the Model Zoo's
// are those of github.com/onnx/models at commit b1eeaa1ac722.
var Catalogue = []CNN{
	{"efficientnet-lite0", 18541034, "82b765c67678d82f40450528a465a7b3967446a336194b480232fe896dc642f5", lite, "Apache-2.0", tpu},
	{"efficientnet-lite2", 24274486, "c7edaedade95f563b33c377d87178930398b22669ea2409bec4850b034c918e3", lite, "Apache-2.0", tpu},
	{"efficientnet-lite4-11", 51946641, "d111689907c06eea7c82e4833ddef758da6453b9d4cf60b7e99ca05c7cbd9c12", lite, "MIT", zoo},
	{"googlenet-12", 28021836, "c99c507058eaf41de8723408fdda7db8325cb57f0a89f2ee07a716d6e963e14e", caffe, "BSD-3-Clause", zoo},
	{"mobilenetv2-10", 13963115, "0e7c0aa4bc74650386fa1d2c84705753de7c2bdb21909ada5c59154bb429e092", torchvision, "Apache-2.0", zoo},
	{"mobilenetv2-12", 13964571, "c0c3f76d93fa3fd6580652a45618618a220fced18babf65774ed169de0432ad5", torchvision, "Apache-2.0", zoo},
	{"resnet18-v1-7", 46820737, "4e8f8653e7a2222b3904cc3fe8e304cd8b339ce1d05fd24688162f86fb6df52c", torchvision, "Apache-2.0", zoo},
	{"resnet34-v1-7", 87302588, "883a41b2e30ddc2e422c108b091b5e70b92d37dc5c345a2c563dcae27971e2cc", torchvision, "Apache-2.0", zoo},
	{"resnet50-v1-12", 102576593, "3f03fdef724b22947eed826f1eef1dc5c34151bb4c37d634f1db89dfa2dd1526", torchvision, "Apache-2.0", zoo},
	{"resnet101-v1-7", 178914043, "760702f6ec0138f71ebac66f4e95d1c72dc9267a8544f4d4667a53075fd0497c", torchvision, "Apache-2.0", zoo},
	{"resnet152-v1-7", 241816206, "b0ec92437bf8c9d0739bf9bafdea9638e13f9e3c1e2fb766ad546cc182fd3f6d", torchvision, "Apache-2.0", zoo},
	{"resnet18-v2-7", 46806737, "3b4d048057854022232aa20bf68262e31718ab7119a17f920b8a2dc1433f824b", torchvision, "Apache-2.0", zoo},
	{"resnet50-v2-7", 102442452, "79102261eb6e5fd7af5d27f41316293e388c5cb691e5d25bfb035c4f64fefe31", torchvision, "Apache-2.0", zoo},
	{"shufflenet-v2-12", 9218556, "ea69821b4dd374ae2f33f9710dd1229ac263d0ee5b5a46ca3521f6483e1ba035", torchvision, "BSD-3-Clause", zoo},
	{"squeezenet1.0-12", 4952956, "dec81a8684617770b3cf13fadc1d92565d1d453d23935fc6388b792d99c992bd", torchvision, "Apache-2.0", zoo},
	{"squeezenet1.1-7", 4956208, "1eeff551a67ae8d565ca33b572fc4b66e3ef357b0eb2863bb9ff47a918cc4088", torchvision, "Apache-2.0", zoo},
	{"vgg16-12", 553437752, "722c42f53ca03a5480296bf8f9c85a151de3eed9ec982d7d2302ff6e2900c67b", torchvision, "Apache-2.0", zoo},
	{"vgg16-bn-7", 553512191, "4fdceabf1ef715c9ed3020fa2eac1cb2a448296c086b03633c80cf47e1c5afce", torchvision, "Apache-2.0", zoo},
	{"vgg19-7", 574677321, "692f9f927f1df1b89033787a77a73eac59fd9b3344f9ecdf0b13221e41c2046f", torchvision, "Apache-2.0", zoo},
}

// Known returns the catalogue entry of the file with this SHA-256.
func Known(sha256 string) (CNN, bool) {
	for _, c := range Catalogue {
		if c.SHA256 == sha256 {
			return c, true
		}
	}
	return CNN{}, false
}
