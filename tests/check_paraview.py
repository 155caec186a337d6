#!/usr/bin/env python3
"""check_paraview.py DIRECTORY: other programs read volumes as test_mpi_vtk.c wrote them.

Every NAME.xdmf is followed into the HDF5 file that it describes; every NAME.vtkhdf is read by VTK,
where it is installed, and compared with the fields of NAME.h5. Exit code 77: h5py is not installed.
"""
import os
import pathlib
import sys
import xml.etree.ElementTree as xml

try:
    import h5py
    import numpy
except ImportError:
    sys.exit(77)


def ends(field):
    """Coordinates of the first and last sample, and the distance of two, of every axis."""
    low, high = field.attrs["lower"], field.attrs["upper"]
    return low, high, (high - low) / (numpy.array(field.shape) - 1)


def numbers(item):
    return [float(word) for word in item.text.split()]


def dimensions(item):
    return tuple(int(word) for word in item.get("Dimensions").split())


def stored(item, folder):
    """The whole data set behind a DataItem, of which type and shape must be as said."""
    name, place = item.text.strip().split(":")
    assert (item.get("Format"), item.get("NumberType")) == ("HDF", "Float"), item.attrib
    with h5py.File(folder / name) as file:
        assert file[place].shape == dimensions(item), (place, file[place].shape)
        assert file[place].dtype.itemsize == int(item.get("Precision"))
        return file[place][()]


def values(item, folder):
    if item.get("ItemType") != "HyperSlab":
        return stored(item, folder)
    box, source = item.findall("DataItem")
    whole = stored(source, folder)
    start, stride, count = numpy.array(numbers(box), int).reshape(dimensions(box))
    assert numpy.all(start + stride * (count - 1) < whole.shape), (start, whole.shape)
    part = whole[tuple(slice(a, a + s * n, s) for a, s, n in zip(start, stride, count))]
    return part.reshape(dimensions(item))


def check_grid(grid, fields, step, folder):
    low, _, spacing = ends(next(iter(fields.values())))
    first = len(low) - len(dimensions(grid.find("Topology")))  # 1: axis 0 is time
    if first:
        assert numpy.isclose(float(grid.find("Time").get("Value")), low[0] + step * spacing[0])
    origin, distance = map(numbers, grid.find("Geometry").findall("DataItem"))
    assert numpy.allclose(origin, low[first:]) and numpy.allclose(distance, spacing[first:])
    kind = f"{len(origin)}DCoRectMesh"
    assert grid.find("Topology").get("TopologyType") == kind, kind
    attributes = grid.findall("Attribute")
    assert [a.get("Name") for a in attributes] == sorted(fields, reverse=True)
    for attribute in attributes:
        expected = fields[attribute.get("Name")]
        expected = expected[step] if first else expected[()]
        assert numpy.array_equal(values(attribute.find("DataItem"), folder), expected)


def check_xdmf(path):
    domain = xml.parse(path).getroot().find("Domain")
    with h5py.File(path.with_suffix(".h5")) as file:
        fields = file["fields"]
        grids = domain.findall("Grid")
        if grids[0].get("GridType") == "Collection":
            assert grids[0].get("CollectionType") == "Temporal"
            grids = grids[0].findall("Grid")
            assert len(grids) == len(fields["value"])
        for step, grid in enumerate(grids):
            check_grid(grid, fields, step, path.parent)
    print(f"{path.name}: {len(grids)} grids")


def check_vtk(path):
    try:
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkIOHDF import vtkHDFReader
    except ImportError:
        print(f"{path.name}: not read, VTK is not installed")
        return
    reader = vtkHDFReader()
    assert reader.CanReadFile(str(path))
    reader.SetFileName(str(path))
    reader.Update()
    image = reader.GetOutputDataObject(0)
    with h5py.File(path.with_suffix(".h5")) as file:
        for name, field in file["fields"].items():
            low, high, spacing = ends(field)
            assert image.GetDimensions() == field.shape[::-1]
            assert numpy.allclose(image.GetOrigin(), low[::-1])
            assert numpy.allclose(image.GetSpacing(), spacing[::-1])
            bounds = numpy.reshape(image.GetBounds(), (3, 2)).T[:, ::-1]
            assert numpy.allclose(bounds, [low, high])
            read = vtk_to_numpy(image.GetPointData().GetArray(name)).reshape(field.shape)
            assert read.dtype == numpy.float32 and numpy.array_equal(read, field[()])
        assert image.GetPointData().GetNumberOfArrays() == len(file["fields"])
    print(f"{path.name}: {image.GetDimensions()} by VTK")


def main():
    folder = pathlib.Path(sys.argv[1])
    pages, volumes = sorted(folder.glob("*.xdmf")), sorted(folder.glob("*.vtkhdf"))
    assert pages and volumes
    for path in pages:
        check_xdmf(path)
    for path in volumes:
        check_vtk(path)
    sys.stdout.flush()
    os._exit(0)  # VTK's end is slow where MPI is


if __name__ == "__main__":
    main()
