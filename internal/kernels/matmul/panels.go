package matmul

import "github.com/onetomany/caption/internal/kernels"

// A shape is that of a kernel's tiles, and of the panels that go with them.
type shape struct {
	rows, cols int  // of the largest tile; all panels but the last have cols columns
	step       int  // what the width of the last panel is a multiple of
	anyRows    bool // the kernel takes any number of rows, not only up to rows
}

// panels are how a right-hand matrix of k×n is stored: neighbouring columns together.
type panels struct {
	k, n int
	*shape
}

// K and N are the rows and columns of B.
func (p *panels) K() int { return p.k }
func (p *panels) N() int { return p.n }

// PanelWidth is the number of columns that are stored together: what SetFilters
// counts in.
func (p *panels) PanelWidth() int { return p.cols }

// TileRows is how many rows of A the kernel computes together.
func (p *panels) TileRows() int { return p.rows }

// Panels returns the number of panels.
func (p *panels) Panels() int { return kernels.Ceil(p.n, p.cols) }

// Panel returns where the columns of panel i start, how many there are and how
// wide the panel is.
func (p *panels) Panel(i int) (j, cols, width int) {
	j = i * p.cols
	cols = min(p.n-j, p.cols)
	return j, cols, kernels.Ceil(cols, p.step) * p.step
}

// columns returns the width of all panels.
func (p *panels) columns() int {
	if p.n == 0 {
		return 0
	}
	j, _, w := p.Panel(p.Panels() - 1)
	return j + w
}
