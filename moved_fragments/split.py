"""Move the asserts of teaching cells into folded check cells.

ch = Chapter("01_composite")
ch.check("✓-wording", ["cell-a", "cell-b"], after="cell-b")   # take trailing asserts of these cells
ch.save()
"""
import ast, re, nbformat
from nbformat.v4 import new_code_cell
class Chapter:
    def __init__(self, name, root="/work/main"):
        self.path=f"{root}/book/{name}.ipynb"; self.nb=nbformat.read(self.path,4); self.prefix=name
    def cell(self,id): return next(c for c in self.nb.cells if c.id==id)
    def index(self,id): return next(i for i,c in enumerate(self.nb.cells) if c.id==id)
    def trailing(self,id):
        """Take the top-level assert statements (and loops that only assert) out of a cell."""
        c=self.cell(id); lines=c.source.split("\n"); body=ast.parse(c.source).body; taken=[]
        def only(n):
            return isinstance(n,ast.Assert) or (isinstance(n,(ast.For,ast.With)) and all(only(b) or isinstance(b,ast.Assign) for b in n.body) and any(only(b) for b in n.body))
        spans=[(n.lineno-1,n.end_lineno) for n in body if only(n)]
        for lo,hi in reversed(spans):
            taken.insert(0,"\n".join(lines[lo:hi])); del lines[lo:hi]
        c.source=re.sub(r"\n{3,}","\n\n\n","\n".join(lines)).rstrip()
        return taken
    def check(self, says, cells, after=None, extra=""):
        code=[]
        for id in cells:
            code+=self.trailing(id)
        if extra: code.append(extra)
        code.append(f'print("✓ {says}")')
        new=new_code_cell("\n".join(code),id=(after or cells[-1])[:50]+"-check",metadata={"tags":["check","hide-input"],"jupyter":{"source_hidden":True}})
        self.nb.cells.insert(self.index(after or cells[-1])+1,new)
        for id in cells:  # a cell that only asserted is gone
            if not self.cell(id).source.strip(): del self.nb.cells[self.index(id)]
        return new
    def save(self):
        open(self.path,"w",encoding="utf-8").write(nbformat.writes(self.nb)+"\n")
